"""Laws of Bins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.mutators.bins import Bins
from extproc.prediction import Probabilities, Vector
from tests.mutators.vectors import frozen, probabilities

counts = st.integers(2, 100)


def shown(values: Vector, count: int) -> Vector:
    result = Bins(count=count).apply(Probabilities(values))
    assert isinstance(result, Probabilities)
    return result.values


@given(probabilities, counts)
def test_the_label_is_shown_with_the_midpoint_of_its_bin(
    prediction: Probabilities, count: int
) -> None:
    values = prediction.values
    served = shown(values, count)
    if not values.size:
        return
    top = values.argmax()
    assert abs(min(values[top], 1.0) - served[top]) <= 0.5 / count + 1e-9
    assert (served[top] * count) % 1 == pytest.approx(0.5)
    assert (served > 0).sum() == 1


@given(probabilities, st.integers(0, 2**32), counts)
def test_nothing_but_the_label_and_its_bin_shows(
    prediction: Probabilities, seed: int, count: int
) -> None:
    values = prediction.values
    if not values.size:
        return
    served = shown(values, count)
    bare = values * 0.0
    bare[values.argmax()] = values.max()
    assert shown(frozen(bare), count).tobytes() == served.tobytes()
    assert shown(served, count).tobytes() == served.tobytes()


@pytest.mark.parametrize(
    ("count", "values", "expected"),
    [
        (2, [0.4, 0.3, 0.3], [0.25, 0.0, 0.0]),
        (2, [0.2, 0.5, 0.3], [0.0, 0.75, 0.0]),
        (3, [0.9, 0.1], [2.5 / 3, 0.0]),
        (5, [1.0005, 0.0], [0.9, 0.0]),
        (4, [0.3, 0.3], [0.375, 0.0]),
        (4, [0.0, 0.0], [0.125, 0.0]),
    ],
)
def test_examples(count: int, values: list[float], expected: list[float]) -> None:
    assert shown(frozen(values), count).tolist() == expected


def test_no_classes_have_no_label() -> None:
    nothing = Probabilities(frozen([]))
    assert Bins(count=2).apply(nothing) is nothing
