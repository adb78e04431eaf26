from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.server.detection.pieces import INPUTS, UNITS, joined, pieces, units
from tests.server.detection.rig import Sketch, asked

INPUT = st.text(max_size=50) | st.integers() | st.lists(st.integers(), max_size=10)


@given(st.lists(INPUT, max_size=64))
def test_the_pieces_are_the_whole(inputs: list[Any]) -> None:
    whole = asked(*inputs, labels=(1, 2))
    found = list(pieces(whole))
    assert [each for piece in found for each in piece.inputs] == inputs
    assert [piece.labels for piece in found] == [(1, 2)] + [()] * (len(found) - 1)


@pytest.mark.parametrize(
    "inputs", [["x" * 2048] * 64, [[1.0] * 2048] * 64, [{"a": "b"}] * 64, [["a", "b"]] * 64, [1]]
)
def test_no_piece_is_large(inputs: list[Any]) -> None:
    for piece in pieces(asked(*inputs)):
        assert len(piece.inputs) <= INPUTS
        assert units(piece) <= UNITS


def test_the_digests_of_inputs_stay_with_them() -> None:
    whole = asked(*range(40), digests=tuple(b"%d" % number for number in range(40)))
    for piece in pieces(whole):
        assert [int(each) for each in piece.digests] == list(piece.inputs)


def test_the_features_of_pieces_are_those_of_the_whole() -> None:
    whole, sketch = asked(*range(50)), Sketch()
    found = joined(sketch.features(list(pieces(whole))))
    (once,) = sketch.features([whole])
    assert found.digests.tolist() == once.digests.tolist()
    assert found.cells.tolist() == once.cells.tolist()
    assert (found.queries, found.outcome) == (50, "served")
    assert joined([once]) is once
