from extproc.server.detection.history import CHANGES, History
from tests.server.detection.findings import NOON, finding


def test_the_latest_changes_of_a_subject_are_kept() -> None:
    history = History()
    for number in range(CHANGES + 5):
        history.found(finding(time=NOON + number))
    times = [change.time.timestamp() - NOON for change in history.of("acme")]
    assert times == [*range(5, CHANGES + 5)]
    assert history.of("beta") == ()


def test_a_change_says_what_it_was() -> None:
    history = History()
    history.found(finding(before="throttle", after="deny", shadow=True, suspicion=0.98765))
    [change] = history.of("acme")
    assert (change.before, change.after) == ("throttle", "deny")
    assert (change.suspicion, change.shadow) == (0.9877, True)


def test_whoever_changed_longest_ago_is_forgotten() -> None:
    history = History(most=2)
    for tenant in ("a", "b", "a", "c"):
        history.found(finding(tenant))
    assert [len(history.of(tenant)) for tenant in ("a", "b", "c")] == [2, 0, 1]
