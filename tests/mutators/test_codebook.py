"""Laws of Codebook."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.mutators import limit
from extproc.mutators.codebook import Codebook, parts
from extproc.prediction import Probabilities, Vector
from tests.mutators.vectors import frozen, probabilities, softmaxes

widths = st.integers(1, 256)


def shown(values: Vector, bits: int) -> Vector:
    result = Codebook(bits=bits).apply(Probabilities(values))
    assert isinstance(result, Probabilities)
    return result.values


@given(probabilities, widths)
def test_every_part_is_a_whole_number_of_kths(prediction: Probabilities, bits: int) -> None:
    served = shown(prediction.values, bits)
    steps = served * parts(bits, served.size)
    assert np.abs(steps - np.rint(steps)).max(initial=0.0) < 1e-6


@given(softmaxes, widths)
def test_the_nearest_entry_is_nowhere_far(values: Vector, bits: int) -> None:
    """Reznik's bound on the largest error, plus the step that may part two equals."""
    served, classes = shown(frozen(values), bits), values.size
    assert np.abs(served - values).max() <= (2 - 1 / classes) / parts(bits, classes) + 1e-6


@given(st.integers(1, 12), st.integers(1, 6))
def test_a_book_is_as_large_as_its_bits_allow(bits: int, classes: int) -> None:
    chosen = parts(bits, classes)
    assert chosen == 1 or entries(classes, math.ceil(1.01 * chosen)) <= 2**bits
    assert entries(classes, math.ceil(1.01 * (chosen + 1))) > 2**bits


def entries(classes: int, most: int) -> int:
    return math.comb(classes + most, classes)


@pytest.mark.parametrize(("classes", "most"), [(1, 5), (2, 4), (3, 6)])
def test_entries_are_counted_right(classes: int, most: int) -> None:
    grid = itertools.product(range(most + 1), repeat=classes)
    assert sum(sum(each) <= most for each in grid) == entries(classes, most)


@given(widths, st.integers(0, 5000))
def test_more_bits_never_make_a_coarser_book(bits: int, classes: int) -> None:
    assert parts(bits + 1, classes) >= parts(bits, classes)
    assert 1 <= parts(bits, classes) <= 10**6


@given(widths, st.integers(1, 5000))
def test_an_answer_costs_its_bits_or_its_label(bits: int, classes: int) -> None:
    label = math.log2(math.comb(classes + 2, 2))  # k = 1, with the sums that are let pass
    bound = limit([Codebook(bits=bits)], "probabilities", classes).bits
    assert bound <= max(bits, label) + 1e-5


def test_few_bits_leave_the_label_alone() -> None:
    assert shown(frozen([0.3, 0.45, 0.25]), 1).tolist() == [0.0, 1.0, 0.0]


def test_examples() -> None:
    values = frozen([0.62, 0.27, 0.08, 0.03])
    assert parts(10, 4) == 9
    assert (shown(values, 10) * 9).round().tolist() == [6, 2, 1, 0]
    assert parts(20, 4) == 67
    assert (shown(values, 20) * 67).round().tolist() == [42, 18, 5, 2]
    assert shown(values, 200).tolist() == values.tolist()


def test_an_entry_is_not_copied() -> None:
    prediction = Probabilities(shown(frozen([0.62, 0.27, 0.11]), 12))
    assert Codebook(bits=12).apply(prediction) is prediction
