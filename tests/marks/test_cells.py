"""What shares a cell and what does not; the figures that docs/ownership.md tells are measured by
tests/marks/holding.py.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits, load_wine

from extproc.canonical import at_once
from extproc.draw import Draw
from extproc.marks.cells import Cells
from tests.detectors.questions import questions
from tests.marks.holding import cells_of, changed, held, noisy

CELLS = Cells(Draw(b"of the key epoch"))
DIGITS = load_digits().data[:300]
WINE = load_wine().data
TEXTS = questions(400, 5)
CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is due?"}]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is due?", "what  is DUE"),
        ("naïve café", "NAIVE CAFE!"),
        (CHAT, [{"role": "user", "content": "what is due"}]),
        ([1, 2, 3.0], [1.0, 2.0, 3]),
        ({"b": 2, "a": 1}, {"a": 1, "b": 2}),
        ([0.5] * 40, [0.5 + 1e-9] * 40),
        ({"text": "What is due?"}, "What is due?"),
        ([1e300, 1.0], [[1e300], 1]),
        ([["x", np.array([1.0, 2.0]).tobytes()]], [["x", [1.0, 2.0]]]),
    ],
)
def test_looks_make_no_other_cell(one: Any, other: Any) -> None:
    assert CELLS.of(one) == CELLS.of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is due?", "Who are you?"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 0.0]),
        ([1.0, 2.0, 30.0], [1.0, 2.0, 3.0]),
        ([-3.0, 2.0], [3.0, 2.0]),
        (b"one file", b"another"),
        ("", b""),
        ("1 2", [1, 2]),
    ],
)
def test_what_is_another_input_has_another(one: Any, other: Any) -> None:
    assert CELLS.of(one) != CELLS.of(other)


def test_small_noise_of_images_mostly_stays() -> None:
    """Planted: twelve polytopes in place of six hold in one of three at 3 %."""
    shares = [held(CELLS, DIGITS, noisy(DIGITS, share)) for share in (0.01, 0.03, 0.05)]
    assert shares[0] > 0.75
    assert shares[1] > 0.5
    assert shares[2] > 0.33


def test_small_noise_of_tables_mostly_stays() -> None:
    assert held(CELLS, WINE, noisy(WINE, 0.01)) > 0.7


def test_a_slip_of_a_text_mostly_stays() -> None:
    assert held(CELLS, TEXTS, [each[:9] + "x" + each[10:] for each in TEXTS]) > 0.5
    assert held(CELLS, TEXTS, changed(TEXTS)) > 0.3


@pytest.mark.parametrize(("inputs", "least"), [(DIGITS, 0.7), (WINE, 0.4), (TEXTS, 0.6)])
def test_inputs_that_differ_mostly_have_cells_of_their_own(inputs: Any, least: float) -> None:
    found = cells_of(CELLS, inputs)
    assert len(set(found)) > least * len(found)


def test_where_cells_end_only_the_key_knows() -> None:
    """Else whoever knows the code could find the cells of marks by trying keys of none."""
    other = Cells(Draw(b"of another"))
    for inputs in (DIGITS[:50], WINE[:50], TEXTS[:50]):
        assert cells_of(CELLS, inputs) != cells_of(other, inputs)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(), inner, max_size=5),
        max_leaves=60,
    )
)
def test_every_input_has_one_and_always_the_same(value: Any) -> None:
    found = CELLS.of(value)
    assert found == CELLS.of(value)
    assert len(found) <= 80


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=100))
def test_numbers_of_any_size_have_one(numbers: list[float]) -> None:
    assert CELLS.of(numbers) == CELLS.of([[each] for each in numbers])


def test_whole_numbers_that_are_no_floats_are_left_out() -> None:
    assert CELLS.of([10**400, 1.0]) == CELLS.of([1.0])


@pytest.mark.parametrize(
    ("value", "many", "turns"),
    [
        ("What is due?", 200, 2),
        ("x" * 100_000, 100, 8),
        ([0.5] * 100, 200, 2),
        ([["x", bytes(8 * 4000)]], 100, 8),
        ({"a": {str(number): number for number in range(1000)}}, 20, 10),
        ([[float(number)] for number in range(1000)], 20, 10),
    ],
)
def test_many_are_looked_at_in_turns(value: Any, many: int, turns: int) -> None:
    """Of what takes two milliseconds each has a turn of its own.

    Planted: turns of so many inputs, whatever they hold, would keep others waiting for 0.1 s.
    """
    assert sum(1 for _ in CELLS.all([value] * many)) >= turns - 1
    assert at_once(CELLS.all([value] * many)) == [CELLS.of(value)] * many
