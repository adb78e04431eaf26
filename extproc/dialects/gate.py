"""The request gate: what a request may ask for, field by field, as a tree of rules.

Rule: what the tree does not name does not go on.  It is refused by name, or stripped and counted
where the route says so; but a name that only looks like a known one is refused either way, and so
are two names that look alike, since a model server may read the one as the other (lookalike.py).
What a rule changes is counted by its place, never by a value.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, Protocol

import orjson
from msgspec import Struct

from extproc.dialects.lookalike import plain
from extproc.dialects.noted import Noted
from extproc.entitlement import ALL, Entitlement
from extproc.errors import ClientError
from extproc.prediction import Kind

Json = Any
"""What orjson.loads returns."""

Unknown = Literal["refuse", "strip"]
"""What happens to a field that the gate does not name."""

_SHOWN: Final = 64
_SORTED: Final = orjson.OPT_SORT_KEYS


class Taken:
    """Stands for a field that is taken out of its object."""


TAKEN: Final = Taken()


class Terms(Struct, frozen=True):
    """What a tenant may ask on a route."""

    granted: Collection[Kind]
    """The kinds its tier names; a field that asks for another is taken out."""
    untouched: Collection[Kind] = ()
    """Of these, the kinds that no mutator changes."""
    unknown: Unknown = "refuse"
    repeatable: bool = True
    """Whether it may fix what is drawn at random: ``seed``, a temperature of 0."""
    alternatives: int | None = None
    """How many alternatives beside a chosen token are shown at most, None where all are."""
    salt: str = ""
    """Keeps a model server's prompt cache apart from other tenants'; empty where none is wanted."""
    entitlement: Entitlement = ALL
    """The features it may ask for."""
    imposed: Mapping[str, Json] = {}
    """Fields of the request that are ours: they go on with these values, whatever the tree says of
    them, and nobody else may set them."""
    check: "Callable[[dict[str, Json]], None] | None" = None
    """Called with what a body holds, as it came; raises ClientError to refuse it."""
    gates: "list[Object] | None" = None
    """Where the gates go that a request is taken through, for those who ask; see gate_of."""
    noted: Noted | None = None
    """Where it is noted what goes on that an answer is paid by."""


@dataclass(slots=True)
class Changes:
    """The terms of one request, and what the gate has changed in it."""

    terms: Terms
    counts: dict[str, int] = field(default_factory=dict)
    """How often, by the place in the tree."""

    def note(self, place: str) -> None:
        self.counts[place] = self.counts.get(place, 0) + 1

    def taken(self, place: str) -> Taken:
        self.note(place)
        return TAKEN

    @property
    def noted(self) -> Noted:
        """Where to note what goes on; nowhere where nobody wants to know."""
        return self.terms.noted or Noted()


class Rule(Protocol):
    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        """Return the value as it goes on: itself where nothing changed, TAKEN where it does not.

        Raise ClientError where the request is refused.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pass:
    """Goes on as it is; the dialect or the model server checks it."""

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        return value


PASS: Final = Pass()


@dataclass(frozen=True, slots=True)
class Granted:
    """Asks for a kind: taken out where the tier does not grant it."""

    kind: Kind
    rule: Rule = PASS

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        if self.kind not in changes.terms.granted:
            return changes.taken(place)
        if self.kind == "logprobs":
            changes.noted.note_logprobs(value)
        return self.rule.admit(value, changes, place)


@dataclass(frozen=True, slots=True)
class Taking:
    """Never goes on."""

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        return changes.taken(place)


@dataclass(frozen=True, slots=True)
class Only:
    """One of these values, compared as JSON (``true`` is not 1); any other is refused by name."""

    values: tuple[Json, ...]

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        if any(_same(value, known) for known in self.values):
            return value
        raise ClientError(f"{place!r} has a value that is not available.")


_UNSET: Final = Only((None, {}))
"""Of a field that is ours to set."""


@dataclass(frozen=True, slots=True)
class Forced:
    """Goes on with this value, whatever was asked."""

    value: Json

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        if _same(value, self.value):
            return value
        changes.note(place)
        return self.value


@dataclass(frozen=True, slots=True)
class Within:
    """A number, or null: lowered to the most and raised to the least."""

    least: float | None = None
    most: float | None = None

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        if value is None:
            return value
        if type(value) not in (int, float):
            raise ClientError(f"{place!r} must be a number.")
        bound = value
        if self.least is not None and value < self.least:
            bound = self.least
        if self.most is not None and value > self.most:
            bound = self.most
        if bound != value:
            changes.note(place)
        return value if bound == value else bound


@dataclass(frozen=True, slots=True)
class Alternatives:
    """How many alternatives of a token are asked for: no more than the tier shows.

    Nor fewer than none: vLLM takes -1 for the whole vocabulary.
    """

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        asked = Within(least=0, most=changes.terms.alternatives).admit(value, changes, place)
        changes.noted.note_alternatives(asked)
        return asked


@dataclass(frozen=True, slots=True)
class User:
    """The end user on whose behalf is asked: noted, and left to the model server to check."""

    surely: bool = False
    """Whether it is taken before another field that says so too."""

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        changes.noted.note_user(value, surely=self.surely)
        return value


USER: Final = User()
END_USER: Final = User(surely=True)


@dataclass(frozen=True, slots=True)
class Repeatable:
    """Makes a random draw the same again: under the rule only where that may be asked."""

    rule: Rule = PASS
    otherwise: Rule = Taking()

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        rule = self.rule if changes.terms.repeatable else self.otherwise
        return rule.admit(value, changes, place)


@dataclass(frozen=True)
class Object:
    """A JSON object of known fields."""

    fields: Mapping[str, Rule]
    forced: Mapping[str, Json] = field(default_factory=dict)
    """Set where they are not asked for, each by a rule of ``fields`` where they are."""
    bounded: tuple[str, ...] = ()
    """The fields that say how many tokens are written at most.  Where none of them does, and the
    tenant has a maximum, the first is set to it; one in another object, by its dotted path."""

    def admit(self, value: Json, changes: Changes, place: str, extra: Collection[str] = ()) -> Json:
        """Let the fields through that ``extra`` names too, as they are."""
        if value is None and place:
            return value
        if not isinstance(value, dict):
            raise ClientError(f"{place!r} must be an object.")
        if changes.terms.gates is not None:
            changes.terms.gates.append(self)
        if changes.terms.noted is not None:
            changes.terms.noted.note_fields(value)
        self._refuse_twins(value, place)
        after = {
            name: self._admit(name, item, changes, place, extra) for name, item in value.items()
        }
        missing = {name: item for name, item in self.forced.items() if name not in value}
        missing |= {} if place else changes.terms.imposed
        missing |= self._bound(value, after, changes)
        if not missing and all(after[name] is item for name, item in value.items()):
            return value
        for name in missing:
            changes.note(_at(place, name))
        return {name: item for name, item in (after | missing).items() if item is not TAKEN}

    def _admit(
        self, name: str, item: Json, changes: Changes, place: str, extra: Collection[str]
    ) -> Json:
        if not place and name in changes.terms.imposed:
            return _UNSET.admit(item, changes, name)
        rule = self.fields.get(name)
        if rule is not None:
            return rule.admit(item, changes, _at(place, name))
        if name in extra:
            return item
        if changes.terms.unknown == "refuse" or self.resembles(name):
            raise ClientError(f"Unrecognized request argument: {_at(place, name)[:_SHOWN]!r}.")
        return changes.taken(_at(place, "*"))

    def _bound(
        self, value: dict[str, Json], after: dict[str, Json], changes: Changes
    ) -> dict[str, Json]:
        """The maximum, where the request names none: in its field, or the object that is for it."""
        most = changes.terms.entitlement.max_tokens
        if most is None or not self.bounded or any(_named(value, name) for name in self.bounded):
            return {}
        changes.noted.note_tokens(most)
        name, _, inner = self.bounded[0].partition(".")
        if not inner:
            return {name: most}
        return {name: {**(after.get(name) or {}), inner: most}}

    def _refuse_twins(self, value: dict[str, Json], place: str) -> None:
        """Where the API has two spellings of a field, one request has one of them."""
        if not self._twins:
            return
        said = Counter(plain(name) for name in value if name in self.fields)
        for name in value:
            if name in self.fields and said[plain(name)] > 1:
                raise ClientError(f"{_at(place, name)!r} is given in two spellings.")

    def resembles(self, name: str) -> bool:
        """Whether it is a known field's name, or looks like one."""
        return plain(name) in self._plain

    @cached_property
    def _plain(self) -> frozenset[str]:
        return frozenset(map(plain, self.fields))

    @cached_property
    def _twins(self) -> bool:
        return len(self._plain) < len(self.fields)


@dataclass(frozen=True, slots=True)
class Each:
    """A JSON array under one rule; what the rule takes out leaves the array."""

    rule: Rule

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        if value is None:
            return value
        if not isinstance(value, list):
            raise ClientError(f"{place!r} must be an array.")
        after = [self.rule.admit(item, changes, f"{place}[]") for item in value]
        if all(new is old for new, old in zip(after, value, strict=True)):
            return value
        return [item for item in after if item is not TAKEN]


def gate_of(read: Callable[[bytes, Mapping[str, str], Terms], object]) -> Object | None:
    """The gate that a dialect's ``read`` takes JSON through; None where it takes it through none.

    A dialect tells its gate by using it, so that what is checked and documented is what serves.
    """
    gates: list[Object] = []
    parameters = defaultdict(str, {"content-type": "application/json"})
    with suppress(ClientError):
        read(b"{}", parameters, Terms((), gates=gates))
    return gates[0] if gates else None


def _same(value: Json, other: Json) -> bool:
    """Whether they are written alike: true is not 1, and 1 is not 1.0, at any depth."""
    return orjson.dumps(value, option=_SORTED) == orjson.dumps(other, option=_SORTED)


def _named(value: dict[str, Json], path: str) -> bool:
    """Whether a field, or a field of an object in it, is said."""
    name, _, inner = path.partition(".")
    said = value.get(name)
    return (said.get(inner) if inner and said else said) is not None


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
