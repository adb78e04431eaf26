"""How long a vector is, and how much of that is told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators._norm import norm, snapped, snapped_norm
from extproc.prediction import Vector
from tests.mutators.vectors import awkward, frozen


@given(awkward)
def test_a_norm_is_euclid_s(values: Vector) -> None:
    assert norm(values) == pytest.approx(math.hypot(*values), rel=1e-12, abs=1e-150)


@pytest.mark.parametrize("value", [9e-151, -1e-161, 5e-324, -0.0])
def test_a_vector_whose_square_underflows_counts_as_nothing(value: float) -> None:
    assert norm(frozen([value])) == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e200])
def test_a_norm_that_is_no_finite_number_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        norm(frozen([1.0, value]))


@given(st.floats(1e-150, 1e154))
def test_two_digits_are_within_a_twentieth_and_snap_to_themselves(length: float) -> None:
    told = snapped(length)
    assert told == pytest.approx(length, rel=0.0501)
    assert len(f"{told!r}".split("e")[0].replace(".", "").strip("0")) <= 2
    assert snapped(told) == told


@given(st.floats(0.996, 1.04))
def test_every_unit_vector_has_length_1(length: float) -> None:
    assert snapped(length) == 1.0


@given(awkward)
def test_two_digits_are_those_of_the_norm(values: Vector) -> None:
    assert snapped_norm(values) == snapped(norm(values))


@given(st.integers(10, 99), st.integers(-12, 12), st.integers(-3, 3))
def test_two_digits_are_those_of_the_norm_between_two_of_them_too(
    digits: int, power: int, units: int
) -> None:
    """Where the order of summation would decide."""
    middle = (digits + 0.5) * 10.0**power
    for _ in range(abs(units)):
        middle = math.nextafter(middle, math.inf if units > 0 else 0.0)
    values = frozen([middle * 0.6, middle * 0.8])
    assert snapped_norm(values) == snapped(norm(values))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e200])
def test_two_digits_of_what_is_no_finite_number_are_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        snapped_norm(frozen([1.0, value]))
