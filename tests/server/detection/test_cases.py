from extproc.escalation import NOBODY, Case
from extproc.server.detection.cases import Cases, Suspect


def suspect(name: str, **given: object) -> Suspect:
    return Suspect(name, case=Case(**given))  # type: ignore[arg-type]


def test_who_is_not_known_is_nobody() -> None:
    cases = Cases(2)
    assert cases.case("a") == NOBODY
    assert cases.get("a") == Suspect("a")


def test_a_case_is_kept_until_nobody_would_miss_it() -> None:
    cases = Cases(2)
    cases.put(suspect("a", suspicion=0.5))
    assert cases.case("a").suspicion == 0.5
    cases.put(suspect("a"))
    assert len(cases) == 0


def test_where_there_are_too_many_the_least_one_goes() -> None:
    cases = Cases(4)
    cases.put(suspect("said", override="trusted"))
    cases.put(suspect("stands", step=0))
    cases.put(suspect("much", suspicion=0.8))
    for number in range(20):
        cases.put(suspect(f"little-{number}", suspicion=0.1))
    assert [each.subject for each in cases.page("", 9)] == ["little-19", "much", "said", "stands"]
    assert cases.standing() == 1


def test_pages_follow_each_other() -> None:
    cases = Cases(100)
    for number in range(10):
        cases.put(suspect(f"{number}", suspicion=0.1))
    assert [each.subject for each in cases.page("", 4)] == ["0", "1", "2", "3"]
    assert [each.subject for each in cases.page("3", 40)] == ["4", "5", "6", "7", "8", "9"]


def test_all_have_their_turn() -> None:
    cases = Cases(100)
    for number in range(10):
        cases.put(suspect(f"{number}", suspicion=0.1))
    found = [each.subject for _ in range(5) for each in cases.some(4)]
    assert {found.count(f"{number}") for number in range(10)} == {2}
    assert len(cases.some(100)) == 10
    assert Cases(1).some(4) == []
