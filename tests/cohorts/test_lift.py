import math

from hypothesis import given
from hypothesis import strategies as st

from extproc.cohorts.lift import MARGIN, OWN, lift

NATS = st.floats(-1e3, 1e3)
SUSPICION = st.floats(0.0, 1.0)


@given(SUSPICION, NATS, st.floats(-1e3, 0.0))
def test_nobody_is_lifted_above_a_half_whose_own_evidence_is_below_the_margin(
    suspicion: float, odds: float, own: float
) -> None:
    assert lift(suspicion, odds, own + MARGIN) <= suspicion / 2


@given(SUSPICION, NATS, NATS)
def test_nobody_is_lifted_above_the_cohort(suspicion: float, odds: float, own: float) -> None:
    assert 0.0 <= lift(suspicion, odds, own) <= suspicion / (1 + math.exp(MARGIN - OWN))


@given(SUSPICION, NATS, NATS, st.floats(0.0, 10.0))
def test_a_stronger_link_lifts_more(suspicion: float, odds: float, own: float, more: float) -> None:
    assert lift(suspicion, odds + more, own) >= lift(suspicion, odds, own)


def test_an_address_alone_lifts_next_to_nothing() -> None:
    assert lift(1.0, 2.5 - 5.0, 0.0) < 0.08


def test_nothing_known_of_it_lifts_nobody() -> None:
    assert lift(1.0, 0.0, -math.inf) < 1e-20
