import math

import msgspec
import numpy as np

from extproc.cohorts.cohort import MOST, evidence, product, threshold
from extproc.cohorts.knowledge import Knowledge
from extproc.detectors.detector import Counters
from extproc.detectors.likelihood import Nats
from extproc.detectors.profile import Layout
from tests.cohorts.made_up import BASE, Counted

KNOWN = Knowledge(Layout([Counted("novelty"), Counted("coverage")]), BASE, 7.0)


def told(known: Knowledge, *members: tuple[float, ...]) -> dict[str, float]:
    counters = [np.array(each, np.float32) for each in members]
    return evidence(known, counters, [known.layout.evidence(each) for each in counters])


def test_a_cohort_has_done_what_its_members_have_together() -> None:
    found = told(KNOWN, (1, 5), (2, 0))
    assert found["novelty"] == 3.0
    assert 0 < found["coverage"] < MOST


def test_what_is_natural_for_many_is_judged_of_each() -> None:
    """Counters of a hundred that are innocent each would look like those of an attacker."""

    class Covered(Counted):
        def evidence(self, counters: Counters) -> Nats:
            return counters[..., 0].astype(np.float64) - 50.0

    layout = Layout([Covered("coverage")])
    assert layout.evidence(np.array([500], np.float32))["coverage"] == 450.0
    assert told(Knowledge(layout, BASE, 7.0), *[(5,)] * 100)["coverage"] < -9.0


def test_what_benign_callers_come_to_is_taken_off_each() -> None:
    known = msgspec.structs.replace(KNOWN, discounts={"novelty": 2.0, "coverage": 5.0})
    assert told(known, (3, 6), (1, 6)) == {
        "novelty": 2.0,
        "coverage": product([1.0, 1.0]),
    }
    assert told(known, *[(0, 4)] * 50)["coverage"] < 0 < told(KNOWN, *[(0, 4)] * 50)["coverage"]


def test_an_e_value_that_says_nothing_is_left_out_of_a_product() -> None:
    assert product([1.0, -math.inf, 2.0]) == product([2.0, 1.0])
    assert product([-math.inf]) == -math.inf


def test_a_product_of_e_values_is_one() -> None:
    """Its expectation stays at 1 or below, whatever the members' laws."""
    rng = np.random.default_rng(4)
    drawn = rng.choice([math.log(0.25), math.log(4)], (4000, 5), p=[0.8, 0.2])
    assert np.mean([math.exp(product(each)) for each in drawn]) < 1.2


def test_many_who_are_a_little_suspicious_are_so_together_and_one_alone_is_not() -> None:
    assert product([0.7] * 60) > 20
    assert product([400.0]) < MOST
    assert product([0.7] * 60 + [-300.0] * 6) > 15


def test_the_more_cohorts_there_are_the_more_evidence_one_needs() -> None:
    assert threshold(7.0, 0) == threshold(7.0, 1) == 7.0
    assert math.isclose(threshold(7.0, 1000), 7.0 + math.log(1000))
