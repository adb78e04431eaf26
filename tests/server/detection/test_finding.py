import pytest

from extproc.server.detection.finding import Finding


def test_what_was_found_does_not_change() -> None:
    finding = Finding(1.0, "acme", "acme", "", "user", 0.9, {"novelty": 3.0}, {"queries": 7})

    with pytest.raises(AttributeError):
        finding.suspicion = 0.0  # type: ignore[misc]


def test_who_stands_on_no_step_is_told_so_by_what_is_left_out() -> None:
    finding = Finding(1.0, "acme", "acme", "", "user", 0.9, {}, {})

    assert (finding.before, finding.after, finding.until, finding.shadow) == ("", "", 0.0, False)
