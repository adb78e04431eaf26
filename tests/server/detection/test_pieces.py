from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.server.detection.pieces import UNITS, joined, pieces, units
from tests.server.detection.rig import Sketch, asked

INPUT = st.text(max_size=50) | st.integers() | st.lists(st.integers(), max_size=10)


@given(st.lists(INPUT, max_size=64))
def test_the_pieces_are_the_whole(inputs: list[Any]) -> None:
    whole = asked(*inputs, labels=(1, 2))
    found = list(pieces(whole))
    assert [each for piece in found for each in piece.inputs] == inputs
    assert [piece.labels for piece in found] == [(1, 2)] + [()] * (len(found) - 1)


DEEP: Any = ["x"]
for _ in range(40):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("most", "value"),
    [
        (3, "x" * 2048),
        (3, [1.0] * 2048),
        (3, [["x"] * 10, {"role": "user", "content": "x" * 1800}]),
        (3, bytes(2048 * 8)),
        (54, {"a": 1, "b": "y", "c": [1.0, 2.0], "d": None}),
        (64, "x" * 100),
        (64, [1.0] * 100),
        (1, "\u0436" * 2048),  # much more work than as many letters in ASCII
        (1, {"\u0436" * 2048: 1.0}),
        (1, [1] * 2048),
        (1, [1.0, None] * 1024),
        (1, ["x"] * 1024),
        (1, DEEP),
    ],
)
def test_no_piece_is_much_work(most: int, value: Any) -> None:
    found = list(pieces(asked(*[value] * 100)))
    assert {len(piece.inputs) for piece in found[:-1]} == {most}
    for piece in found:
        assert len(piece.inputs) == 1 or units(piece) <= UNITS


def test_what_is_much_is_not_measured_to_its_end() -> None:
    assert units(asked(*["x" * 2048] * 64)) == units(asked(*["x" * 2048] * 4)) > UNITS


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
