import pytest

from extproc.cohorts.cohort import Cohort
from extproc.cohorts.excess import LEVELS
from extproc.cohorts.groups import Groups
from extproc.cohorts.judging import Judged
from extproc.cohorts.usual import CHECKPOINTS, Usual
from extproc.server.detection.companies import Companies

NOW = 1_700_000_000.0
NAME = "cohort:00ff"
COHORT = Cohort(NAME, ("acme|key:1", "acme|key:2"), (1.0, 1.0))


def judged(suspicion: float) -> Judged:
    return Judged(
        cohorts={NAME: COHORT},
        evidence={NAME: {"novelty": 9.0}},
        suspicions={NAME: suspicion},
    )


def told(companies: Companies, suspicion: float) -> list[str]:
    return [each.subject for each in companies.found(judged(suspicion), Groups({}, 9), NOW)]


def test_a_cohort_that_becomes_suspicious_is_told_with_its_evidence() -> None:
    [finding] = Companies().found(judged(0.95), Groups({}, 9), NOW)
    assert (finding.subject, finding.time, finding.suspicion) == (NAME, NOW, 0.95)
    assert (finding.evidence, finding.counts) == ({"novelty": 9.0}, {"members": 2})
    assert "key" not in str(finding), "members are no part of it"


def test_it_is_told_once_until_it_has_been_half_as_suspicious() -> None:
    companies = Companies()
    assert told(companies, 0.8) == []
    assert [told(companies, each) for each in (0.95, 0.99, 0.6, 0.95)] == [[NAME], [], [], []]
    assert [told(companies, each) for each in (0.3, 0.95)] == [[], [NAME]]


def test_a_group_is_told_by_what_its_callers_have_in_common() -> None:
    usual = Usual({"novelty": (tuple(map(float, range(len(LEVELS)))),) * len(CHECKPOINTS)})
    groups = Groups({"user": usual}, 9)
    for number in range(7):
        groups.enter(f"c{number}", ["new day 1"], "user", 4, {"novelty": 99.0})
    [finding] = Companies().found(Judged(suspicions={"new day 1": 0.92}), groups, NOW)
    assert (finding.subject, finding.counts) == ("cohort:new day 1", {"members": 7})
    assert finding.traffic == "user"
    assert finding.evidence == {"excess": pytest.approx(groups.evidence("new day 1"))}


def test_a_group_that_was_forgotten_meanwhile_is_not_told_of() -> None:
    assert list(Companies().found(Judged(suspicions={"gone": 0.99}), Groups({}, 9), NOW)) == []
