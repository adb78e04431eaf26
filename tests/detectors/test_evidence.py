"""How evidence adds up: see extproc/detectors/evidence.py."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.detectors.evidence import ALARM, combined, suspicion

_NATS = st.floats(-50, 700)


def test_the_average_of_e_values() -> None:
    assert combined({"a": math.log(2), "b": math.log(6)}) == pytest.approx(math.log(4))
    assert combined({"a": math.log(8), "b": -math.inf}) == pytest.approx(math.log(4))


def test_a_discount_is_a_weight() -> None:
    told = {"a": math.log(8), "b": math.log(6)}
    assert combined(told, {"a": math.log(4)}) == pytest.approx(math.log(4))
    assert combined(told, {"a": math.log(4), "c": 9.0}) == combined(told, {"a": math.log(4)})
    assert combined(told, {"b": -math.log(2)}) == pytest.approx(math.log(10))


def test_no_evidence_is_none() -> None:
    assert combined({}) == -math.inf
    assert combined({"a": -math.inf}) == -math.inf


@given(st.lists(_NATS, min_size=1, max_size=9))
def test_it_is_never_more_than_the_strongest_and_never_less_than_its_share(
    nats: list[float],
) -> None:
    found = combined({str(place): each for place, each in enumerate(nats)})
    assert max(nats) - math.log(len(nats)) - 1e-9 <= found <= max(nats) + 1e-9


def test_suspicion_is_measured_by_the_threshold() -> None:
    assert suspicion(5.0, 5.0) == pytest.approx(ALARM)
    assert suspicion(10.0, 5.0) == pytest.approx(0.99)
    assert suspicion(0.0, 5.0) == suspicion(-math.inf, 5.0) == 0.0


@given(_NATS, _NATS)
def test_more_evidence_is_never_less_suspicious(one: float, other: float) -> None:
    less, more = sorted([one, other])
    assert 0.0 <= suspicion(less, 7.0) <= suspicion(more, 7.0) <= 1.0
