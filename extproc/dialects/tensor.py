"""Tensors, however an API writes them: what one holds, and what of it passes.

Rule: what a tensor holds is declared by the route, by name; a tensor that is not declared is a
``tensor``, which only a tier that names ``tensor`` lets through, whole.  One prediction is a row:
the last dimension, or a single number of a score.  Where the first dimension is the request's
batch, each row is an answer to one input, and draws for that one (see draw.py).

Source: KServe "Open Inference Protocol (V2)", tensor data types and their raw form.
"""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from math import prod
from operator import is_
from typing import Any, Final, Literal

import numpy as np

from extproc.dialects.answers import Steps
from extproc.dialects.ballots import form_of_votes, tallied
from extproc.dialects.gathered import Collected
from extproc.dialects.mutation import Edit, RowsMutation
from extproc.dialects.shape import Rewrite
from extproc.dialects.told import Told
from extproc.errors import Malformed, UpstreamError
from extproc.prediction import Embedding, Matrix, Prediction, Probabilities, Score, Vector

OutputKind = Literal["probabilities", "score", "embedding", "label"]
"""What a route may declare an output tensor to hold."""
DeclaredKind = OutputKind | Literal["votes"]
"""The same where an API's tensors may hold votes: see ballots.py."""
TensorKind = DeclaredKind | Literal["tensor"]
Kinds = Mapping[str, OutputKind]

BF16: Final = "BF16"
FLOATS: Final = frozenset({"FP16", "FP32", "FP64", BF16})
INTEGERS: Final = frozenset(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
STRINGS: Final = "BYTES"
DIMENSIONS: Final = 32
"""At most, of a shape."""
MOST_STRINGS: Final = 10_000
"""At most, in one tensor: each is looked at for itself."""

_RAW: Final[Mapping[str, str]] = {
    "BOOL": "?",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    BF16: "<u2",
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
}
# Triton's classification extension hides scores in strings: "0.93:281:tabby".
_scored_label: Final = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?:\d+(:|$)", re.IGNORECASE).match
_LENGTH: Final = struct.Struct("<I")
_TABLE: Final = 2
"""Dimensions of a tensor that has a row for each input."""
_BLOCK: Final = 32 << 10
"""Numbers that are edited at once before others have their turn: some 2 ms at most."""
_SCORES: Final = 2 << 10
"""As many scores take as long: plain arithmetic rounds each for itself."""
_FEW: Final = 64
"""Numbers up to which Python's own arithmetic is quicker than numpy's."""


def sized(shape: Any) -> bool:
    """Whether this is a shape: sizes, none of them negative."""
    if type(shape) is not list or len(shape) > DIMENSIONS:
        return False
    return all(type(size) is int and size >= 0 for size in shape)


def check_labels(datatype: str, names: Iterable[str], place: str) -> None:
    """Class indices or names; never strings with a score inside.  Raise UpstreamError."""
    if datatype in FLOATS:
        raise UpstreamError(f"{place} is declared label and holds numbers with fractions")
    if any(map(_scored_label, names)):
        raise UpstreamError(f"{place} hides scores in its labels")


def check_raw(octets: memoryview, datatype: str, shape: Sequence[int]) -> None:
    """Raise Malformed unless these are the elements of such a tensor, little-endian."""
    if datatype == STRINGS:
        found = sum(1 for _ in strings(octets))
    elif datatype in _RAW:
        found, rest = divmod(len(octets), np.dtype(_RAW[datatype]).itemsize)
        found = -1 if rest else found
    else:
        raise Malformed("a tensor is of an unknown datatype")
    if found != prod(shape):
        raise Malformed("a tensor does not fill its shape")


def strings(octets: memoryview) -> Iterator[memoryview]:
    """The elements of a BYTES tensor, each behind its length.  Raise Malformed as it comes."""
    at = found = 0
    while at < len(octets):
        found += 1
        if found > MOST_STRINGS:
            raise Malformed(f"a tensor holds more than {MOST_STRINGS} strings")
        end = at + _LENGTH.size
        if end > len(octets):
            raise Malformed("a tensor of strings is cut short")
        [length] = _LENGTH.unpack_from(octets, at)
        at = end + length
        if at > len(octets):
            raise Malformed("a tensor of strings is cut short")
        yield octets[end:at]


def names(items: Iterable[memoryview]) -> Iterator[str]:
    """Strings as a reader of labels sees them."""
    return (str(item, "utf-8", "replace") for item in items)


def widened(octets: memoryview | bytes, datatype: str) -> Vector:
    """Raw numbers, shape (elements,)."""
    raw = np.frombuffer(octets, _RAW[datatype])
    if datatype == BF16:
        return (raw.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return raw.astype(np.float64)


def narrowed(values: Vector, datatype: str) -> bytes:
    """Numbers in their raw form, to the nearest that the datatype has."""
    with np.errstate(over="ignore"):
        if datatype == BF16:
            bits = values.astype(np.float32).view(np.uint32)
            return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2").tobytes()
        return values.astype(_RAW[datatype]).tobytes()


def passing(  # noqa: PLR0913, PLR0917 - what there is to know of a tensor
    octets: memoryview,
    datatype: str,
    shape: list[int],
    kind: TensorKind,
    run: Rewrite,
    place: str,
    teachers: int | None = None,
) -> Steps[tuple[bytes | memoryview, list[int]] | None]:
    """A raw tensor as it may pass, with its shape: itself where nothing changed, None where it is
    dropped.  Raise UpstreamError where it is not what was declared.
    """
    try:
        check_raw(octets, datatype, shape)
    except Malformed as error:
        raise UpstreamError(f"{place}: {error}") from error
    if kind == "tensor" or not octets:
        run.told.pass_octets("tensor", len(octets))
        return octets, shape
    if kind == "label":
        check_labels(datatype, names(strings(octets)) if datatype == STRINGS else (), place)
        run.told.count("label", 1, prod(shape))
        return octets, shape
    if kind == "votes":
        form = form_of_votes(datatype, place)
        tally = np.frombuffer(octets, form).astype(np.int64)
        rows_of_votes = yield from tallied(tally, shape, teachers, run, place)
        if rows_of_votes is None or rows_of_votes is tally:
            return None if rows_of_votes is None else (octets, shape)
        return rows_of_votes.astype(form).tobytes(), shape
    check_floats(kind, datatype, place)
    numbers = widened(octets, datatype)
    rows = yield from reduced(numbers, shape, kind, run, place)
    if rows is None or rows is numbers:
        return None if rows is None else (octets, shape)
    return narrowed(rows, datatype), resized(shape, rows)


def passing_whole(octets: Any, kind: TensorKind, shape: Sequence[int], told: Told) -> None:
    """Count what passes of strings, or of numbers as a message writes them."""
    if kind == "label":
        told.count(kind, 1, prod(shape))
    elif kind == "tensor":
        texts = octets if isinstance(octets, list) else (octets,)
        told.pass_octets(kind, sum(len(text) + 1 for text in texts))


def check_floats(kind: DeclaredKind, datatype: str, place: str) -> None:
    if datatype not in FLOATS:
        raise UpstreamError(f"{place} is declared {kind} and holds {datatype}")


def reduced(
    numbers: Vector, shape: Sequence[int], kind: OutputKind, run: Rewrite, place: str
) -> Steps[Matrix | None]:
    """The rows that may pass, shape (rows, width); ``numbers`` itself where nothing changed.

    None where they are dropped.  Raise UpstreamError where they are not what was declared.
    """
    width = 1 if kind == "score" or not shape else shape[-1]
    rows = numbers.reshape(-1, width)
    if kind == "probabilities" and not _are_probabilities(rows):
        raise UpstreamError(f"{place} is declared probabilities and holds other numbers")
    if run.edits[kind] is None:
        run.told.pass_rows(kind, rows)
        return numbers
    if kind != "embedding" or not run.gathers:
        edited = yield from _edited(rows, shape, kind, run)
        return numbers if edited is rows else edited
    if len(shape) != _TABLE:
        raise UpstreamError(f"{place} does not hold one embedding for each input")
    collected = Collected(run)
    hollow = yield from _edited(rows, shape, kind, collected.first)
    assert hollow is not None  # no vector is dropped by those two
    return (yield from _edited(hollow, shape, kind, collected.second()))


def _edited(
    rows: Matrix, shape: Sequence[int], kind: OutputKind, run: Rewrite
) -> Steps[Matrix | None]:
    """The rows, itself where nothing changed; None where one is dropped."""
    at_once = run.rows(kind) if rows.size > _FEW else None
    if at_once is not None:
        return (yield from _in_blocks(rows, at_once, _SCORES if kind == "score" else _BLOCK))
    return (yield from _row_by_row(rows, shape, kind, run))


def _in_blocks(rows: Matrix, edit: RowsMutation, size: int) -> Steps[Matrix]:
    """The rows as the edit makes them, so many numbers a step: itself where nothing changed."""
    height = max(1, size // rows.shape[1])
    blocks = [rows[at : at + height] for at in range(0, len(rows), height)]
    edited: list[Matrix] = []
    for block in blocks:
        if edited:
            yield
        edited.append(edit(block))
    return rows if all(map(is_, edited, blocks)) else np.concatenate(edited)


def _row_by_row(
    rows: Matrix, shape: Sequence[int], kind: OutputKind, run: Rewrite
) -> Steps[Matrix | None]:
    step, unchanged = _rows_a_step(kind, rows.shape[1]), True
    edited: Matrix | None = None
    for number, edit in enumerate(_edits(len(rows), shape, kind, run)):
        if number and not number % step:
            yield
        before = _prediction(kind, rows[number])
        after = edit(before)
        if after is None:
            return None
        unchanged = unchanged and after is before
        values = _values(after)
        if edited is None:
            edited = np.empty((len(rows), len(values)))
        edited[number] = values
    return rows if unchanged else edited


def _rows_a_step(kind: OutputKind, width: int) -> int:
    """How many rows are edited before others have their turn: some 2 ms, at 200 µs for ten classes
    and 300 µs for a thousand.
    """
    return 256 if kind == "score" else max(1, 16_000 // (1_000 + width))


def resized(shape: Sequence[int], rows: Matrix) -> list[int]:
    """The shape of what passes: only the last dimension may have become smaller."""
    if rows.size == prod(shape):
        return list(shape)
    return [*shape[:-1], rows.shape[1]]


def flat(data: list[Any], dimensions: int) -> list[Any]:
    """Nested data as one list.  Raise TypeError where arrays and scalars stand side by side."""
    for _ in range(1, dimensions):
        if data and isinstance(data[0], list):
            data = list(chain.from_iterable(data))
    return data


def _edits(count: int, shape: Sequence[int], kind: OutputKind, run: Rewrite) -> Iterator[Edit]:
    """For each row the edit of the input it answers; of all together where that is not known."""
    batched = len(shape) > (0 if kind == "score" else 1)
    asked = len(run.draws.inputs) if run.draws is not None else 0
    if not batched or asked != shape[0]:
        return repeat(run.edit(kind), count)
    return _edits_of_each(asked, count // asked, kind, run)


def _edits_of_each(asked: int, rows: int, kind: OutputKind, run: Rewrite) -> Iterator[Edit]:
    for at in range(asked):
        run.at = at
        yield from repeat(run.edit(kind), rows)
    run.at = None


def _are_probabilities(rows: Matrix) -> bool:
    # float32 models miss a sum of 1 by a few thousandths at worst.  A sum is no number where one
    # of its terms is none.
    if len(rows) == 1 and rows.size <= _FEW:
        values = rows[0].tolist()
        return bool(sum(values) <= 1.01 and min(values) >= 0)
    return bool(rows.min() >= 0 and rows.sum(axis=1).max() <= 1.01)


def _prediction(kind: OutputKind, row: Vector) -> Prediction:
    match kind:
        case "probabilities":
            return Probabilities(row)
        case "embedding":
            return Embedding(row)
        case _:
            return Score(float(row[0]))


def _values(prediction: Prediction) -> Any:
    match prediction:
        case Probabilities(values, None) | Embedding(values):  # what is hidden has no place here
            return values
        case Score(value):
            return [value]
        case _:
            raise TypeError("a mutator changed the kind of a tensor")
