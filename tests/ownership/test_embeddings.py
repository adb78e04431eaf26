"""An entry of an embedding proves itself, or does not count."""

from typing import Any

import msgspec
import numpy as np
import pytest

from extproc.canonical import at_once, digests
from extproc.marks.keeping import Keeping
from extproc.marks.marking import Moved
from extproc.ownership.embeddings import are_whole, draw, vector
from tests.ownership.moving import marks, told, world

TEXT = world().texts[0]
RAW = world().private([TEXT])
[ENTRY] = told("acme", [TEXT], RAW)[1]
assert ENTRY.moved is not None
MOVED = ENTRY.moved


def changed(**more: Any) -> Moved:
    return msgspec.structs.replace(MOVED, **more)


def test_a_vector_is_of_length_one() -> None:
    assert np.allclose(vector(MOVED), RAW[0], atol=1e-6)
    longer = (np.frombuffer(MOVED.vector, "<f4") * 100).astype("<f4").tobytes()
    assert np.linalg.norm(vector(changed(vector=longer))) == pytest.approx(1.0)


def test_what_fits_together_is_whole() -> None:
    assert are_whole(MOVED, ENTRY)


@pytest.mark.parametrize(
    "more",
    [
        {"key": "0" * 64},
        {"key": "no key"},
        {"key": MOVED.key[2:]},
        {"strength": 0.0},
        {"strength": float("nan")},
        {"strength": 7.0},
        {"vector": b""},
        {"vector": b"123"},
        {"vector": b"\0" * 8},
        {"vector": np.array([np.nan, 1.0], "<f4").tobytes()},
        {"vector": np.array([np.inf, 1.0], "<f4").tobytes()},
    ],
)
def test_what_does_not_is_not(more: dict[str, Any]) -> None:
    """Planted: a key from which the cell does not follow may be whatever its owner needs."""
    assert not are_whole(changed(**more), ENTRY)


@pytest.mark.parametrize("value", [b'"another text"', b"[[[[" + b"]" * 4])
def test_another_input_is_another_cell(value: bytes) -> None:
    assert not are_whole(MOVED, msgspec.structs.replace(ENTRY, input=msgspec.Raw(value)))


def test_an_input_too_deep_to_be_canonical_is_none() -> None:
    deep = msgspec.Raw(b"[" * 100 + b"]" * 100)
    assert not are_whole(MOVED, msgspec.structs.replace(ENTRY, input=deep))


@pytest.mark.parametrize(
    "value",
    ["What is due?", [1, 2, 30], [["x", np.linspace(0, 1, 40).tobytes()]], [["x", ["a text"]]]],
    ids=["a text", "tokens", "a row of a tensor", "a text in a tensor"],
)
def test_an_entry_is_whole_however_its_input_was_read(value: Any) -> None:
    """Else nobody who has the entry finds its cell."""
    keeping = Keeping(marks("acme"), 0.05, 1.0)
    [found] = at_once(keeping.kept([value], at_once(digests([value])))).values()
    entry = msgspec.structs.replace(ENTRY, cell=found.cell, input=msgspec.Raw(found.input))
    assert are_whole(MOVED, entry)


def test_a_key_has_32_octets() -> None:
    assert draw(MOVED.key).key.hex() == MOVED.key
    with pytest.raises(ValueError, match="32 octets"):
        draw("00")
