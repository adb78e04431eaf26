import math

import numpy as np
import pytest

from extproc.canonical import at_once
from extproc.cohorts.cohort import Cohort
from extproc.cohorts.excess import LEVELS
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.linker import Life, Linker
from extproc.cohorts.usual import CHECKPOINTS, Usual
from extproc.server.detection.companies import COHORT
from extproc.server.detection.finding import Finding
from extproc.server.detection.judge import Judge
from extproc.server.detection.settings import Terms
from extproc.stores.profiles import Profiles
from tests.server.detection.rig import (
    DAY,
    NOW,
    THRESHOLD,
    Told,
    asked,
    features,
    ladder,
    layout,
    profiles,
    records,
    settings,
    terms,
)

LADDER = ladder((0.5, 60.0, "fidelity"), (0.9, 60.0, "deny"))


class Bench:
    def __init__(self, applies: Terms | None = None, **given: object) -> None:
        self.profiles: Profiles = profiles()
        self.terms = applies if applies is not None else terms(ladder=LADDER)
        find = lambda tenant, route: self.terms if tenant == "acme" else None  # noqa: E731
        self.judge = Judge(settings(**given), layout(), self.profiles.read, find, records())
        self.told = Told()
        self.judge.listeners.append(self.told)
        self._next = 0

    def ask(self, count: int, now: float = NOW, subject: str = "acme", **given: str) -> float:
        observation = asked(*range(self._next, self._next + count), **given)
        self._next += count
        self.profiles.add(subject, "acme", features(*observation.inputs, time=now))
        return self.judge.look(subject, observation, now)

    def names(self) -> list[tuple[str, str]]:
        return [(each.before, each.after) for each in self.told.findings]


def test_many_are_known_at_once_as_each_is_alone() -> None:
    bench = Bench()
    for subject, count in (("one", 3), ("two", 5)):
        bench.profiles.add(subject, "acme", features(*range(count)))
    some = ["two", "nobody", "one"]
    together = bench.judge.known(some, NOW + DAY)
    alone = [bench.judge.known([each], NOW + DAY)[0] for each in some]
    told = [each.evidence.get("coverage") for each in together]
    assert told == [each.evidence.get("coverage") for each in alone] == [2.5, None, 1.5]
    assert [each.profile and each.profile.queries for each in together] == [5, None, 3]


def test_what_is_known_of_a_caller_is_what_it_is_judged_by() -> None:
    bench = Bench()
    bench.profiles.add("acme", "acme", features(*range(20)))
    (known,) = bench.judge.known(["acme"], NOW)
    assert bench.judge.look("acme", asked(), NOW, known) == bench.ask(0) > THRESHOLD


def test_a_suspect_climbs_and_is_told_of() -> None:
    bench = Bench()
    assert bench.ask(1) == pytest.approx(1 - math.log(2))
    assert bench.told.findings == []
    bench.ask(3)
    bench.ask(7)
    assert bench.names() == [("", "fidelity"), ("fidelity", "deny")]
    last = bench.told.findings[-1]
    assert isinstance(last, Finding)
    assert (last.subject, last.tenant, last.principal, last.policy) == ("acme", "acme", "", "v1")
    assert last.evidence == {"coverage": pytest.approx(11), "volume": -math.inf}
    assert last.counts["queries"] == 11
    assert last.suspicion >= 0.9
    assert bench.judge.cases.case("acme").step == 1


def test_evidence_of_many_detectors_is_their_average() -> None:
    assert Bench().ask(20) == pytest.approx(20 - math.log(2))


def test_a_step_ends_without_an_exchange() -> None:
    bench = Bench()
    bench.ask(11)
    bench.judge.again("acme", NOW + 61)
    assert bench.names()[-1] == ("deny", "")
    assert bench.judge.cases.case("acme").step == -1


def test_only_what_comes_on_top_counts_anew() -> None:
    bench = Bench()
    bench.ask(11)
    bench.judge.again("acme", NOW + 61)
    bench.ask(1, NOW + 62)
    assert bench.judge.cases.case("acme").step == -1
    bench.ask(11, NOW + 63)
    assert bench.judge.cases.case("acme").step == 1


def test_who_is_exempt_is_told_of_and_stands_on_no_step() -> None:
    bench = Bench(terms(ladder=LADDER, exempt=True))
    bench.ask(20)
    assert bench.names() == [("", "")]
    assert bench.told.findings[0].suspicion > 0.9
    assert bench.judge.cases.case("acme").step == -1


def test_it_is_told_once_that_suspicion_has_risen() -> None:
    bench = Bench(terms())
    for _ in range(5):
        bench.ask(8)
    assert len(bench.told.findings) == 1


def test_only_so_many_are_put_on_a_step_in_an_hour() -> None:
    bench = Bench(terms(ladder=ladder((0.5, 60.0, "deny"), hourly=2)))
    for number in range(5):
        bench.ask(20, subject=f"acme|{number}")
    stands = [bench.judge.cases.case(f"acme|{number}").step for number in range(5)]
    assert stands == [0, 0, -1, -1, -1]
    assert bench.judge.allowances.held_back == 3


def test_each_policy_has_a_bound_of_its_own_whatever_cohort_its_tenants_are_of() -> None:
    bench = Bench()
    for policy, cohort in (("one", "a"), ("one", "b"), ("two", "a")):
        steps = ladder((0.5, 60.0, "deny"), hourly=1, policy=policy)
        bench.terms = terms(ladder=steps, cohort=cohort)
        bench.ask(20, subject=f"{policy}|{cohort}")
    stands = [bench.judge.cases.case(each).step for each in ("one|a", "one|b", "two|a")]
    assert stands == [0, -1, 0]


def test_in_the_shadow_it_is_said_that_nothing_comes_of_it() -> None:
    bench = Bench(terms(ladder=ladder((0.5, 60.0, "deny"), shadow=True)))
    bench.ask(20)
    assert [each.shadow for each in bench.told.findings] == [True]


def test_of_traffic_that_nobody_has_calibrated_nothing_comes() -> None:
    bench = Bench(terms(ladder=LADDER, traffic="other"))
    bench.ask(1000)
    assert (bench.told.findings, len(bench.judge.cases)) == ([], 0)


def test_who_is_in_no_policy_any_more_is_not_judged() -> None:
    bench = Bench()
    assert bench.ask(20, tenant="gone", subject="gone") == 0.0
    bench.judge.again("gone", NOW)
    assert len(bench.judge.cases) == 0


def test_a_principal_is_named_where_the_profile_is_its_own() -> None:
    bench = Bench(per="principal")
    bench.ask(20, subject="acme|key:1")
    assert bench.told.findings[0].principal == "key:1"


def test_a_cohort_is_told_of_and_stands_on_no_step() -> None:
    bench = Bench()
    bench.ask(20, subject=f"{COHORT}x")
    (finding,) = bench.told.findings
    assert (finding.tenant, finding.principal, finding.after) == ("", "", "")


def test_an_operators_word_is_kept() -> None:
    bench = Bench()
    bench.ask(20)
    assert bench.judge.override("acme", "trusted", NOW).said == NOW
    bench.ask(20, NOW + 1)
    case = bench.judge.cases.case("acme")
    assert (case.override, case.step) == ("trusted", -1)
    assert bench.judge.override("acme", "", NOW + 2).case.override == ""


def test_who_is_forgiven_is_suspected_of_what_comes_after() -> None:
    bench = Bench()
    bench.ask(20)
    bench.judge.forgive("acme", NOW + 1)
    bench.ask(2, NOW + 2)
    assert bench.judge.cases.case("acme").step == -1
    bench.ask(20, NOW + 3)
    assert bench.judge.cases.case("acme").step == 1
    assert bench.judge.forgive("nobody", NOW).case.step == -1


def test_a_listener_that_fails_keeps_nobody_from_being_told() -> None:
    class Broken:
        def found(self, finding: Finding) -> None:
            raise RuntimeError("planted")

    bench = Bench()
    bench.judge.listeners.insert(0, Broken())
    bench.ask(20)
    assert (len(bench.told.findings), bench.judge.faults) == (1, 1)


def test_what_was_long_ago_is_forgotten() -> None:
    bench = Bench(terms(ladder=LADDER))
    bench.ask(3)
    assert bench.judge.cases.case("acme").suspicion > 0
    bench.judge.again("acme", NOW + 40 * DAY)
    assert bench.judge.cases.case("acme").suspicion == pytest.approx(0, abs=1e-6)
    assert THRESHOLD == 10.0


def test_whoever_is_forgiven_is_told_of() -> None:
    bench = Bench()
    bench.ask(11)
    bench.judge.forgive("acme", NOW)
    assert bench.names()[-1] == ("deny", "")
    last = bench.told.findings[-1]
    assert (last.suspicion, last.escalated, last.until) == (0.0, False, 0.0)
    bench.judge.forgive("acme", NOW)
    assert len(bench.told.findings) == 2


def test_what_is_known_of_one_can_be_asked_for() -> None:
    bench = Bench()
    bench.ask(11)
    suspect = bench.judge.cases.get("acme")
    assert bench.judge.step(suspect) == "deny"
    assert bench.judge.counts("acme", NOW)["queries"] == 11
    assert bench.judge.counts("nobody", NOW) == {}
    stranger = bench.judge.cases.get("stranger")
    assert (bench.judge.terms(stranger), bench.judge.step(stranger)) == (None, "")


def test_replicas_hear_of_steps_and_words_and_tell_of_them_once() -> None:
    one, other = Bench(), Bench()
    heard: list[str] = []
    one.judge.changed = heard.append
    one.ask(20)
    assert heard == ["acme"]
    other.judge.hear("acme", one.judge.verdict("acme"))
    assert other.judge.cases.case("acme").step == one.judge.cases.case("acme").step == 1
    assert other.told.findings == []
    other.judge.changed = heard.append
    other.judge.override("acme", "trusted", NOW + 1, NOW + 9)
    assert heard == ["acme", "acme"]
    one.judge.hear("acme", other.judge.verdict("acme"))
    assert one.judge.cases.case("acme").override == "trusted"
    assert one.judge.cases.case("acme").ends == NOW + 9
    one.judge.override("acme", "frozen", NOW + 2)
    one.judge.hear("acme", other.judge.verdict("acme"))
    assert one.judge.cases.case("acme").override == "frozen", "that was said later"


class Company(Linker):
    """Says of everybody what a test says."""

    def __init__(self, lifted: float) -> None:
        super().__init__(Knowledge(layout(), np.ones(8) / 8, 7.0), b"k" * 32, 64)
        self.lifted = lifted

    def lift(self, subject: str) -> float:
        return self.lifted


@pytest.mark.parametrize(("lifted", "step"), [(0.0, -1), (0.6, 0), (0.95, 1), (1.0, 1)])
def test_the_company_that_somebody_is_in_raises_suspicion(lifted: float, step: int) -> None:
    bench = Bench()
    bench.judge.linker = Company(lifted)
    bench.ask(1)
    case = bench.judge.cases.case("acme")
    assert case.step == step
    assert case.suspicion == pytest.approx(lifted, abs=0.08)


def test_of_a_cohort_it_is_told_once_that_it_is_suspected() -> None:
    bench = Bench()
    bench.judge.companies(NOW)
    bench.judge.linker = company = Company(0.0)
    found = company.judged
    found.cohorts["cohort:1"] = Cohort("cohort:1", ("a", "b"), (1.0, 2.0))
    found.evidence["cohort:1"], found.suspicions["cohort:1"] = {"novelty": 9.0}, 0.95
    for _ in range(2):
        bench.judge.companies(NOW)
    [told] = bench.told.findings
    assert (told.subject, told.tenant, told.suspicion) == ("cohort:1", "", 0.95)
    assert (told.evidence, told.counts, told.after) == ({"novelty": 9.0}, {"members": 2}, "")
    assert [each.subject for each in bench.judge.cases.page("", 9)] == ["cohort:1"]
    bench.judge.again("cohort:1", NOW)
    company.judged = type(found)()
    bench.judge.companies(NOW)
    assert len(bench.judge.cases) == 0


def test_a_group_that_has_become_suspicious_is_told_of_once_and_nothing_is_done_to_it() -> None:
    bench = Bench()
    bench.judge.companies(NOW)
    usual = Usual({"coverage": (tuple(map(float, range(len(LEVELS)))),) * len(CHECKPOINTS)})
    known = Knowledge(layout(), np.ones(8) / 8, 7.0, {"user": usual})
    bench.judge.linker = linker = Linker(known, b"k" * 32, 64)
    for number in range(20):
        linker.count(
            asked(1),
            f"c{number}",
            "north",
            "user",
            Life(NOW, 4, np.full(9, 99, np.float32), {"coverage": 99.0}),
        )
    at_once(linker.rebuild(lambda _: None))
    bench.judge.companies(NOW)
    bench.judge.companies(NOW)
    told = [each.subject.split()[0] for each in bench.told.findings]
    assert sorted(told) == ["cohort:declared", *["cohort:new"] * 6]
    assert not any(each.escalated or each.after for each in bench.told.findings)


def test_of_a_caller_that_is_counted_other_replicas_are_to_hear() -> None:
    bench = Bench()
    usual = Usual({"coverage": (tuple(map(float, range(len(LEVELS)))),) * len(CHECKPOINTS)})
    known = Knowledge(layout(), np.ones(8) / 8, 7.0, {"user": usual})
    changed: list[str] = []
    bench.judge.linker, bench.judge.changed = Linker(known, b"k" * 32, 64), changed.append
    bench.ask(1)
    assert changed == ["acme"]
