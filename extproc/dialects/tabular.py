"""What the dialects of APIs share in which every model answers a table of its own shape.

Rule: the route declares what each output holds.  An output that has a name and is not declared
does not pass; one without a name holds what ``output`` says.
"""

from typing import Any

import msgspec

from extproc.canonical import Shared
from extproc.dialects.cell import CellKind, cell, column
from extproc.dialects.dialect import JsonDialect
from extproc.dialects.gate import Json
from extproc.dialects.gathered import Gathered
from extproc.dialects.request import require
from extproc.dialects.shape import Either, Fields, Items, Node


class TabularDialect(JsonDialect, frozen=True):
    """An API whose answers are rows, or columns, of what a model says."""

    outputs: dict[str, CellKind] = msgspec.field(default_factory=dict)
    """What each output holds, by its name; of the others none passes."""
    output: CellKind = "tensor"
    """What the one output holds that has no name."""

    def named(self) -> Fields:
        """An object of outputs, of one input."""
        return Fields({name: cell(kind) for name, kind in self.outputs.items()})

    def positional(self) -> bool:
        return "probabilities" in {self.output, *self.outputs.values()}

    def row(self) -> Node:
        """What stands for one input."""
        return Either(self.named(), cell(self.output), cell(self.output))

    def by_row(self) -> Node:
        return self.rows(self.row())

    def rows(self, row: Node) -> Node:
        """One for each input; their vectors can be compared where each holds no second one."""
        rows, named = Items(row, each=True), [*self.outputs.values()].count("embedding")
        alone = named == 1 or (not named and self.output == "embedding")
        return Gathered(rows) if alone else rows

    def by_column(self) -> Either:
        """Outputs whose arrays hold an item for each input; or one, without its name."""
        named = {name: column(kind) for name, kind in self.outputs.items()}
        return Either(Fields(named), column(self.output), cell(self.output))


def rows_of(inputs: Json, name: str) -> list[Any]:
    """The inputs of a request that has one a row."""
    require(isinstance(inputs, list) and inputs, f"{name!r} must be a non-empty array.")
    return list(inputs)


def transposed(columns: Json, name: str) -> list[Any]:
    """The inputs of a request that has a column for each feature, row by row.

    They are as many as the longest column has, so that none hides behind a shorter one.
    """
    if not isinstance(columns, dict):
        return rows_of(columns if isinstance(columns, list) else [columns], name)
    arrays = {feature: items for feature, items in columns.items() if isinstance(items, list)}
    require(columns and all(arrays.values()), f"{name!r} must not be empty.")
    # What all rows share is written once: a row holds no more than its own part of the request.
    shared = Shared({feature: columns[feature] for feature in columns.keys() - arrays.keys()})
    rows: list[Any] = [{"": shared} for _ in range(max(map(len, arrays.values()), default=1))]
    for feature, items in arrays.items():
        for row, item in zip(rows, items, strict=False):
            row[feature] = item
    return rows
