"""The shape of an answer: an allow-list tree that says which prediction stands where.

Rule: what the tree does not name does not pass.  An unknown field is dropped and counted; a
value of another JSON type than the tree says makes the answer unreadable (UpstreamError).
``null`` always passes, so that "absent" and "null" stay what the model server made them.

One tree serves twice: ``rewrite`` takes a whole parsed document; value_stream.py walks the same
tree over a body of any size.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import is_
from typing import Any, Final, Protocol

from extproc.dialects.mutation import (
    Batched,
    Edit,
    Gathering,
    Mutation,
    RowsMutation,
    TokensMutation,
)
from extproc.dialects.told import Told
from extproc.draw import Draws
from extproc.errors import UpstreamError
from extproc.prediction import Kind, Prediction

Json = Any
"""What orjson.loads returns."""


class Absent:
    """Stands for a value that is taken out of its object or array."""


ABSENT: Final = Absent()
_COMMITTED: Final = frozenset[Kind]({"probabilities", "embedding"})
"""Kinds of which marks are committed to."""


@dataclass(slots=True)
class Rewrite:
    """One answer being rewritten: what may pass, the model asked for, and what was dropped."""

    edits: Mapping[Kind, Mutation | None]
    """By kind; None passes it untouched, a kind that is missing is dropped."""
    model: str
    draws: Draws | None = None
    """What keyed mutators draw from; None where the tier has none."""
    dropped: dict[str, int] = field(default_factory=dict)
    """How often a value was taken out, by the place in the tree (never by an unknown name)."""
    memory: dict[str, Any] = field(default_factory=dict)
    """What a dialect remembers from one event of a stream to the next; bounded by the dialect."""
    at: int | None = None
    """The number of the input whose prediction is being rewritten, None where it is not known."""
    unasked: frozenset[str] = frozenset()
    """Members that count tokens, and that the client did not ask for; see unasked.py."""
    told: Told = field(default_factory=Told)
    inputs: int | None = None
    """How many inputs were asked about, None where that is not known."""

    @property
    def gathers(self) -> bool:
        """Whether vectors are edited all together; inside what is gathered they no longer are."""
        return isinstance(self.edits.get("embedding"), Gathering)

    def edit(self, kind: Kind) -> Edit:
        """What happens to a prediction of a kind that the tier names."""
        mutation, names = self.edits[kind], self.told.named()
        edit: Edit = _same
        if mutation is not None:
            source = self.draws.of(self.at, names) if self.draws is not None else None
            edit = partial(mutation, source)
        if self.told.marking is not None and kind in _COMMITTED:
            edit = self.told.marking.noting(self.at, names, edit)
        if self.told.paid is not None:
            edit = self.told.paid.edit(kind, self.at, edit)
        return self.told.edit(kind, edit)

    def rows(self, kind: Kind) -> RowsMutation | None:
        """What happens to many predictions of a kind at once; None where it cannot."""
        mutation = self.edits[kind]
        rows = mutation.rows if isinstance(mutation, Batched) else None
        return rows if rows is None else self.told.rows(kind, rows)

    def tokens(self) -> TokensMutation | None:
        """What happens to many log probabilities at once; None where it cannot."""
        mutation = self.edits["logprobs"]
        tokens = mutation.tokens if isinstance(mutation, Batched) else None
        return tokens if tokens is None else self.told.tokens(tokens)

    def drop(self, place: str) -> Absent:
        self.dropped[place] = self.dropped.get(place, 0) + 1
        return ABSENT


class Node(Protocol):
    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        """Return the value as it may pass: itself when nothing changed, ABSENT when dropped.

        Raise UpstreamError when it is not what the API promises.
        """
        ...


class Stepwise(ABC):
    """A node whose one value may be long work."""

    __slots__ = ()

    @abstractmethod
    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        """As every Node."""

    @abstractmethod
    def steps(self, value: Json, run: Rewrite, place: str) -> Generator[None, None, Json]:
        """The same of an object or array, in steps between which others have their turn."""


@dataclass(frozen=True, slots=True)
class Keep:
    """A scalar of structure: ids, indices, reasons.  Never an object or an array."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if isinstance(value, (dict, list)):
            raise UpstreamError(f"{place} is not a scalar")
        if run.told.within is not None:
            run.told.pass_member(place.rpartition(".")[2], value)
        return value


_SCALARS: Final = frozenset({str, int, float, bool})


@dataclass(frozen=True, slots=True)
class Anything:
    """A value that passes whatever it holds: the operator named it, or a codec reads it."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if run.told.within is not None:
            run.told.pass_inner(value)
        return value


@dataclass(frozen=True, slots=True)
class Opaque:
    """A scalar of a kind that no mutator reads: it passes whole or not at all."""

    kind: Kind

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is not None and self.kind not in run.edits:
            return run.drop(place)
        if isinstance(value, (dict, list)):
            raise UpstreamError(f"{place} is not a scalar")
        if run.told.measure is not None:
            run.told.pass_whole(self.kind, value)
        return value


@dataclass(frozen=True, slots=True)
class ModelName:
    """The model's name: the name the client used, unless its identity may be known."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None or value == run.model:
            return value
        if not isinstance(value, str):
            raise UpstreamError(f"{place} is not a string")
        if "identity" in run.edits:
            return value
        run.drop(place)
        return run.model


@dataclass(frozen=True, slots=True)
class Fault:
    """A field that only stands in answers which report a failure."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        raise UpstreamError("the model server reports an error")


@dataclass(frozen=True, slots=True)
class Gate:
    """A part of the tree that is there only for tiers which grant its kind."""

    kind: Kind
    node: Node
    nulled: bool = False
    """Clients index into the field: leave ``null`` behind instead of taking it out."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if self.kind not in run.edits:
            run.drop(place)
            return None if self.nulled else ABSENT
        if run.told.measure is None:
            return self.node.rewrite(value, run, place)
        before = run.told.enter(self.kind)
        try:
            return self.node.rewrite(value, run, place)
        finally:
            run.told.within = before


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object of known fields."""

    fields: Mapping[str, Node]

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if not isinstance(value, dict):
            raise UpstreamError(f"{place or 'the answer'} is not an object")
        changed, known, walks = {}, self.fields.get, run.told.within is not None
        for name, old in value.items():
            node = known(name)
            if node is None:
                changed[name] = run.drop(f"{place}.*" if place else "*")
            elif old is not None and (walks or type(node) is not Keep or type(old) not in _SCALARS):
                new = node.rewrite(old, run, f"{place}.{name}" if place else name)
                if new is not old:
                    changed[name] = new
        return with_changed(value, changed) if changed else value


@dataclass(frozen=True, slots=True)
class Items:
    """A JSON array whose items share a shape."""

    node: Node
    each: bool = False
    """Whether each item answers one input of the request, in its order."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if not isinstance(value, list):
            raise UpstreamError(f"{place or 'the answer'} is not an array")
        place = f"{place}[]"
        if self.each:
            items = [self._answer(number, item, run, place) for number, item in enumerate(value)]
        else:
            items = [self.node.rewrite(item, run, place) for item in value]
        if all(map(is_, items, value)):
            return value
        return [item for item in items if item is not ABSENT]

    def _answer(self, number: int, item: Json, run: Rewrite, place: str) -> Json:
        run.at = number
        try:
            return self.node.rewrite(item, run, place)
        finally:
            run.at = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """An object that says by its ``index`` which input it answers: the items of a ranking."""

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        number = value.get("index") if isinstance(value, dict) else None
        if type(number) is not int or number < 0:
            raise UpstreamError(f"{place} has no index")
        run.at = number
        try:
            return self.node.rewrite(value, run, place)
        finally:
            run.at = None


@dataclass(frozen=True, slots=True)
class Rows:
    """A row, or an array of rows, or an array of those: as deep as its first elements are arrays.

    A row is no array of arrays, which is how one is told from the other.
    """

    row: Node
    depth: int = 1
    """How many arrays there may be around a row."""
    each: bool = False
    """Whether each item of the outermost answers one input of the request, in its order."""

    def within(self, *, nested: bool) -> Node:
        """What the value is, given whether it is an array that begins with an array."""
        if not nested or not self.depth:
            return self.row
        return Items(Rows(self.row, self.depth - 1), self.each)

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        return self.of(value).rewrite(value, run, place)

    def of(self, value: Json) -> Node:
        """What this value is."""
        nested = isinstance(value, list) and bool(value) and isinstance(value[0], list)
        return self.within(nested=nested)


@dataclass(frozen=True, slots=True)
class Either:
    """A value of which each JSON type has a shape of its own: a row, or an object of columns."""

    object: Node
    array: Node
    scalar: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        return self.of(value).rewrite(value, run, place)

    def of(self, value: Json) -> Node:
        """What this value is."""
        match value:
            case dict():
                return self.object
            case list():
                return self.array
            case _:
                return self.scalar


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that a codec reads as predictions and writes back."""

    kind: Kind
    codec: Callable[[Json, Edit, str], Json]
    """``codec(value, edit, place)``: the value with the edit applied, itself when unchanged."""
    shape: Node = Anything()
    """What the codec gets to see: unknown fields go before it."""
    nulled: bool = False

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if self.kind not in run.edits:
            run.drop(place)
            return None if self.nulled else ABSENT
        known = self.shape.rewrite(value, run, place)
        changed = self.codec(known, run.edit(self.kind), place)
        if changed is ABSENT:
            run.drop(place)
            return None if self.nulled else ABSENT
        return changed


def _same(prediction: Prediction) -> Prediction:
    return prediction


def with_changed(value: dict[str, Json], changed: dict[str, Json]) -> dict[str, Json]:
    """In the order of the original, without what is ABSENT."""
    after = value | changed
    for name, new in changed.items():
        if new is ABSENT:
            del after[name]
    return after
