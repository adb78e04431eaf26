"""A table of predictions as comma-separated values, its columns declared by kind.

Rule: every record has as many fields as the first, and each field is what its column was declared
to hold.  Columns of one vector kind that stand side by side are one vector.  Numbers are decimal
and finite: ``nan``, ``inf``, hexadecimal and digit groups are none.  A label that begins like a
spreadsheet's formula is refused, since what opens the file would run it (OWASP, "CSV Injection").
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

import numpy as np
import orjson

from extproc.dialects.answers import Steps, Whole
from extproc.dialects.cell import VectorKind, check_labels, edited, score, written
from extproc.dialects.csv_records import Record, reading, records, rendered
from extproc.dialects.gate import Json
from extproc.dialects.mutation import Edit
from extproc.dialects.request import require
from extproc.dialects.shape import Rewrite
from extproc.errors import UpstreamError
from extproc.prediction import Vector

_Kind = Literal["probabilities", "score", "embedding", "label", "tensor"]
ColumnKind = _Kind | Literal["drop"]

_TURN: Final = 200
"""Fields that are read and edited in one step: 2 ms where they are records of ten."""
_RENDERED: Final = 2_000
"""Fields that are written in one step."""
_NUMBER: Final = re.compile(r" *[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)? *")
_FORMULA: Final = re.compile(r"\s*[=+@-]")


def read_inputs(body: bytes, *, headed: bool = False) -> list[Json]:
    """The records of a request; ``headed``: behind one of names.  Raise ClientError for others."""
    found = records(body)
    require(found, "The request body is not CSV with one record a line.")
    assert found is not None
    inputs = found[1:] if headed else found
    require(inputs, "The request body holds no input.")
    return [[_input(field) for field in record] for record in inputs]


def _input(field: str) -> Json:
    """As it counts for what is drawn: numbers are numbers, however they are written."""
    return float(field) if _NUMBER.fullmatch(field) else field


@dataclass(frozen=True, slots=True)
class CsvTable:
    """One record answers one input, where there are as many."""

    columns: tuple[ColumnKind, ...]
    """What each column holds; the last stands for those that follow, too."""

    def rewrite(self, body: bytes, headers: Mapping[str, str], run: Rewrite) -> Steps[Whole]:
        found = yield from reading(body)
        if found is None:
            raise UpstreamError("the answer is not CSV with one record a line")
        groups = self._groups(len(found[0]))
        fit = run.draws is None or len(run.draws.inputs) == len(found)
        after: list[Record] = []
        for at, each in enumerate(found):
            if at and not at % max(1, _TURN // len(each)):
                yield
            after.append(_record(groups, each, run, at if fit else None))
        run.at = None
        if after == found:
            return Whole(body, {})
        if not all(after):
            raise UpstreamError("the answer holds nothing that may pass")
        parts = []
        for at in range(0, len(after), height := max(1, _RENDERED // len(found[0]))):
            yield
            parts.append(rendered(after[at : at + height]))
        return Whole(b"".join(parts), {})

    def _groups(self, width: int) -> list[tuple[ColumnKind, slice]]:
        """Columns of one kind that stand side by side."""
        if width < len(self.columns):
            raise UpstreamError("a record has fewer fields than columns are declared")
        kinds = [*self.columns, *self.columns[-1:] * (width - len(self.columns))]
        groups, start = [], 0
        for kind, members in groupby(kinds):
            end = start + len(list(members))
            groups.append((kind, slice(start, end)))
            start = end
        return groups


def _record(
    groups: Sequence[tuple[ColumnKind, slice]], record: Record, run: Rewrite, at: int | None
) -> Record:
    run.at = at
    return [field for kind, span in groups for field in _served(kind, record[span], run)]


def _served(kind: ColumnKind, fields: Record, run: Rewrite) -> Record:
    """The fields as they pass, none where they do not."""
    place = f"[{kind}]"
    if kind == "drop" or kind not in run.edits:
        run.drop(place)
        return []
    after = _edited(kind, fields, run.edit(kind), place)
    if after is None:
        run.drop(place)
    run.told.pass_whole(kind, after)
    return after or []


def _edited(kind: _Kind, fields: Record, edit: Edit, place: str) -> Record | None:
    match kind:
        case "label":
            _check(fields, place)
            return fields
        case "tensor":
            _numbers(fields, place)
            return fields
        case "score":
            return _scores(fields, edit, place)
        case "probabilities" | "embedding":
            return _vector(kind, fields, edit, place)


def _check(fields: Record, place: str) -> None:
    check_labels([_label(field) for field in fields], place)
    for field in fields:
        if _FORMULA.match(field) and not _NUMBER.fullmatch(field):
            raise UpstreamError(f"{place} begins like a formula")


def _label(field: str) -> Json:
    return float(field) if _NUMBER.fullmatch(field) else field


def _numbers(fields: Record, place: str) -> Vector:
    if not all(map(_NUMBER.fullmatch, fields)):
        raise UpstreamError(f"{place} is not a number")
    values = np.array(fields).astype(np.float64)
    if not np.isfinite(values).all():
        raise UpstreamError(f"{place} is not a finite number")
    return values


def _scores(fields: Record, edit: Edit, place: str) -> Record | None:
    before = _numbers(fields, place).tolist()
    after = [score(value, edit) for value in before]
    if None in after:
        return None
    return [
        field if new is old else orjson.dumps(new).decode()
        for field, old, new in zip(fields, before, after, strict=True)
    ]


def _vector(kind: VectorKind, fields: Record, edit: Edit, place: str) -> Record | None:
    before = _numbers(fields, place)
    after = edited(kind, before, edit, place)
    if after is None or after is before:
        return None if after is None else fields
    text = orjson.dumps(written(kind, after), option=orjson.OPT_SERIALIZE_NUMPY)
    return text[1:-1].decode().split(",")
