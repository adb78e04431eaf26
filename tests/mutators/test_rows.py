import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

from extproc.errors import UpstreamError
from extproc.mutators._norm import norm, snapped
from extproc.mutators._rows import all_snapped, check_rows, counted, first, norms, settled
from tests.mutators.vectors import frozen

lengths = st.one_of(
    st.floats(1e-3, 1e3),
    st.floats(0, allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 1.0, 0.99999997, 1.05, 1.15, 9.95, 99.5, 1e22, 1e23, 1e-21, 1e-24]),
)


@given(st.lists(lengths, min_size=1, max_size=9))
@example([1.0500000000000003, 1.05, 1.0499999999999998, 0.995, 0.9949999999999999])
@example([9.999999999999998, 10.0, 10.000000000000002, 0.09999999999999999])
def test_two_digits_of_many_lengths_are_those_of_each(values: list[float]) -> None:
    assert all_snapped(np.array(values)).tolist() == [snapped(value) for value in values]


@given(st.lists(st.lists(st.floats(-1e200, 1e200), min_size=3, max_size=3), min_size=1))
def test_norms_of_rows_are_those_of_each(values: list[list[float]]) -> None:
    rows = frozen(values)
    try:
        each = [norm(row) for row in rows]
    except UpstreamError:
        with pytest.raises(UpstreamError, match="not finite"):
            norms(rows)
    else:
        assert norms(rows).tolist() == each


def test_near_the_border_each_row_is_asked_itself() -> None:
    check_rows(frozen([[0.5, 0.51], [1.0, 0.0099999999]]))
    for wrong in ([0.5, 0.5101], [-1e-9, 0.5], [1.002, 0.0], [np.nan, 0.5]):
        with pytest.raises(UpstreamError):
            check_rows(frozen([[0.5, 0.5], wrong]))


def test_the_first_that_are_set_are_counted_in_each_row() -> None:
    mask = np.array([[True, False, True, True], [False, False, True, False]])
    assert counted(mask).tolist() == [3, 1]
    left = first(mask, np.array([2, 0]))
    assert left.tolist() == [[True, False, True, False], [False] * 4]


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_has_not_changed_by_a_bit_is_the_very_matrix(order: str) -> None:
    before = np.array([[0.25, 0.5], [0.5, 0.25]], order=order)  # type: ignore[call-overload]
    assert settled(before.copy("K"), before) is before
    # Of one row the octets are those of another, laid out the other way.
    for after in (before * 2, before[:, ::-1].copy(), before[:1], before * [[1], [-1]]):
        assert settled(after, before) is after
    zero = np.zeros((2, 2), order=order)  # type: ignore[call-overload]
    signed = zero.copy("K")
    signed[1, 1] = -0.0
    assert settled(signed, zero) is signed
