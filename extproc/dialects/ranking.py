"""Classes with their probabilities, each beside its name: as members, pairs, objects or columns.

Rule: the order of classes tells as much as their numbers, and a model server that sorts by them
gives it away for nothing.  So what has been changed, or is to look as if it had been, is sorted by
what is shown, of equals by name, and a class whose number is 0 is not named.  A tier that names
``label`` and no ``probabilities`` is shown the first class alone.  Classes without names keep their
places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from extproc.dialects.cell import check_labels, check_probabilities, numbers
from extproc.dialects.confidences import edited
from extproc.dialects.hidden import OTHER, hidden
from extproc.dialects.shape import ABSENT, Anything, Fields, Gate, Items, Json, Node, Rewrite
from extproc.errors import UpstreamError
from extproc.prediction import Kind, Probabilities

_SHOWING: Final[tuple[Kind, ...]] = ("label", "probabilities")


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which classes are shown, and in which order."""

    order: Sequence[int]
    values: Sequence[Json] | None
    """Their numbers, in the order in which they came; None where the tier shows none."""
    same: bool = False
    """Whether that is what came."""
    other: float = 0.0
    """What is hidden, where it is shown: behind all classes."""


def rank(given: Sequence[Json], names: Sequence[Sequence[Json]], run: Rewrite, at: str) -> Ranking:
    """The classes at the tier of the run.

    ``names``: for each class what it is called; nothing where its place is all that names it.
    """
    check_labels((name for name in chain.from_iterable(names) if name is not None), at)
    before = numbers(list(given), at)
    check_probabilities(before, at)
    if not before.size:
        return Ranking((), (), same=True)
    run.told.name(names)
    if "probabilities" in run.edits:
        after = edited(before, run.edit("probabilities"))
        same = after is not None and after.values is before and after.other is None
        if same and not run.told.alike:
            return Ranking(range(before.size), given, same=True)
        if after is not None:
            other = hidden(after, chain.from_iterable(names), at)
            return _shown(after.values.tolist(), other, names, run, at)
    else:
        run.told.notice(Probabilities(before))
    first = [int(before.argmax())] if "label" in run.edits and any(names) else []
    return _counted(Ranking(first, None), before.size, run, at)


def _shown(
    values: list[float], other: float, names: Sequence[Sequence[Json]], run: Rewrite, at: str
) -> Ranking:
    if not any(names):
        if other:
            raise UpstreamError(f"{at} has no names of classes, and none for what is hidden")
        return Ranking(range(len(values)), values)
    kept = [number for number, value in enumerate(values) if value]
    kept.sort(key=lambda number: (-values[number], [str(name) for name in names[number]]))
    return _counted(Ranking(kept, values, other=other), len(values), run, at)


def _counted(ranking: Ranking, came: int, run: Rewrite, at: str) -> Ranking:
    hidden = came if ranking.values is None else came - len(ranking.order)
    for _ in range(hidden):
        run.drop(at)
    return ranking


@dataclass(frozen=True, slots=True)
class _Members:
    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if not isinstance(value, dict):
            raise UpstreamError(f"{place or 'the answer'} is not an object of classes")
        names = list(value)
        ranking = rank(
            list(value.values()), [[name] for name in names], run, f"{place}.*" if place else "*"
        )
        if ranking.values is not None:
            run.told.count_names(len(ranking.order), len(names), kind="probabilities")
        if ranking.same:
            return value
        if ranking.values is None:
            return ABSENT
        shown = {names[number]: ranking.values[number] for number in ranking.order}
        return {**shown, OTHER: ranking.other} if ranking.other else shown


MEMBERS: Final[Node] = Gate("probabilities", _Members())
"""An object whose keys are the classes: ``{"tabby": 0.46, "tiger cat": 0.31}``.  They go where its
numbers go."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """``[["tabby", 0.46], ["tiger cat", 0.31]]``; what is withheld of a pair is null."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if run.edits.keys().isdisjoint(_SHOWING):
            return run.drop(place)
        if not isinstance(value, list) or not all(map(_is_pair, value)):
            raise UpstreamError(f"{place or 'the answer'} is not an array of pairs")
        ranking = rank([pair[1] for pair in value], [pair[:1] for pair in value], run, f"{place}[]")
        named, values = "label" in run.edits, ranking.values
        if named:
            shown_of = len(ranking.order), len(value)
            run.told.count_names(*shown_of, scored=values is not None)
        if ranking.same and named:
            return value
        shown = [
            [value[number][0] if named else None, None if values is None else values[number]]
            for number in ranking.order
        ]
        last = [OTHER if named else None, ranking.other]
        return [*shown, last] if ranking.other else shown


def _is_pair(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 2


@dataclass(frozen=True, slots=True)
class Ranked:
    """``[{"label": "tabby", "score": 0.46}, {"label": "tiger cat", "score": 0.31}]``"""

    number: str
    """The field that holds a class's number."""
    names: Sequence[str]
    """Those of the other fields that hold what it is called."""
    others: Mapping[str, Node]
    """The fields beside the number."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if run.edits.keys().isdisjoint(_SHOWING):
            return run.drop(place)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise UpstreamError(f"{place or 'the answer'} is not an array of objects")
        given = [item.get(self.number) for item in value]
        names = [[item.get(name) for name in self.names] for item in value]
        ranking = rank(given, names, run, f"{place}[].{self.number}")
        shown = value if ranking.same else [self._item(value[n], ranking, n) for n in ranking.order]
        if ranking.other:
            shown.append(self._last(value[0], ranking.other))
        return Items(_fields(self.others, self.number)).rewrite(shown, run, place)

    def _item(self, item: dict[str, Json], ranking: Ranking, number: int) -> dict[str, Json]:
        if ranking.values is not None:
            return {**item, self.number: ranking.values[number]}
        return {name: value for name, value in item.items() if name != self.number}

    def _last(self, item: dict[str, Json], other: float) -> dict[str, Json]:
        """What is hidden, in the fields that name a class and hold its number."""
        known = {self.number: other, **dict.fromkeys(self.names, OTHER)}
        return {name: known[name] for name in item if name in known}


@dataclass(frozen=True, slots=True)
class Columns:
    """``{"displayNames": ["tabby", "tiger cat"], "confidences": [0.46, 0.31]}``"""

    number: str
    """The field that holds the classes' numbers."""
    names: Sequence[str]
    """Those of the other fields that hold, class by class, what they are called."""
    others: Mapping[str, Node]
    """The fields beside the numbers."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if not isinstance(value, dict):
            raise UpstreamError(f"{place or 'the answer'} is not an object")
        names = [name for name in self.names if value.get(name) is not None]
        given = value.get(self.number)
        if given is None and not names:
            return _fields(self.others, self.number).rewrite(value, run, place)
        columns = [value[name] for name in names]
        if not isinstance(given, list) or not all(_fits(each, given) for each in columns):
            raise UpstreamError(f"{place or 'the answer'} has columns of several lengths")
        at = f"{place}.{self.number}" if place else self.number
        ranking = rank(given, list(zip(*columns, strict=True)), run, at)
        shown = value if ranking.same else self._shown(value, names, ranking)
        return _fields(self.others, self.number).rewrite(shown, run, place)

    def _shown(
        self, value: dict[str, Json], names: Sequence[str], ranking: Ranking
    ) -> dict[str, Json]:
        """The same columns with the classes of the ranking, without its numbers if it has none."""
        last = [OTHER] if ranking.other else []
        columns = {name: [value[name][n] for n in ranking.order] + last for name in names}
        shown = {**value, **columns}
        if ranking.values is None:
            del shown[self.number]
        else:
            numbers = [ranking.values[number] for number in ranking.order]
            shown[self.number] = [*numbers, ranking.other] if last else numbers
        return shown


def _fits(column: Json, given: list[Json]) -> bool:
    return isinstance(column, list) and len(column) == len(given)


def _fields(others: Mapping[str, Node], number: str) -> Fields:
    """The fields of a class, or of all, once the ranking has read what it must."""
    return Fields({**others, number: Anything()})


@dataclass(frozen=True, slots=True)
class Having:
    """An object of which one field says, by standing in it, which shape it has."""

    field: str
    node: Node
    otherwise: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        has = isinstance(value, dict) and value.get(self.field) is not None
        return (self.node if has else self.otherwise).rewrite(value, run, place)


@dataclass(frozen=True, slots=True)
class OfObjects:
    """An array of which the first item says, by being an object, which shape it has."""

    node: Node
    otherwise: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        has = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
        return (self.node if has else self.otherwise).rewrite(value, run, place)
