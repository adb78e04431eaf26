"""What a field may hold: a range of numbers, a set of categories, a length and kind of text.

Rule: a domain holds for everything at and under its field.  The field itself, and what stands in
arrays there, is of a type the domain speaks of, since any other would go past it: token ids where
text is checked.  Inside of objects only values of those types are looked at.  ``null`` is as good
as no field, but in no array.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from extproc.cause import Cause
from extproc.errors import ClientError
from extproc.refusal import INVALID_REQUEST
from extproc.validation.place import shown
from extproc.validation.text import Characters, Script, has_only, is_of

_REFUSED: Final = INVALID_REQUEST.called(Cause.INPUT_FIELD)

Json = Any
"""What orjson.loads returns."""
Scalar = str | int | float | bool
Type = Literal["text", "number", "boolean"]
_TYPES: Final[dict[type, Type]] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "boolean",
}


class Domain(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """The class is its configuration."""

    min: int | float | None = None
    max: int | float | None = None
    values: Annotated[tuple[Scalar, ...], Meta(max_length=10_000)] = ()
    """Nothing but these."""
    min_length: Annotated[int, Meta(ge=0, le=100_000_000)] | None = None
    max_length: Annotated[int, Meta(ge=0, le=100_000_000)] | None = None
    """Of a text, in characters."""
    characters: Characters | None = None
    """``text``: none that nobody sees, but tabs and line breaks; ``line``: nor those; ``ascii``: a
    line of ASCII."""
    scripts: tuple[Script, ...] = ()
    """Of whose letters a text may be; of any where none is named."""

    @cached_property
    def types(self) -> frozenset[Type]:
        """What it speaks of."""
        found: set[Type] = {_TYPES[type(value)] for value in self.values}
        if (self.min, self.max) != (None, None):
            found.add("number")
        if self._of_text:
            found.add("text")
        return frozenset(found)

    @property
    def _of_text(self) -> bool:
        lengths = (self.min_length, self.max_length)
        return lengths != (None, None) or self.characters is not None or bool(self.scripts)

    @cached_property
    def _known(self) -> frozenset[tuple[Type, Scalar]]:
        """Of two types, ``true`` is not 1."""
        return frozenset((_TYPES[type(value)], value) for value in self.values)

    def check(self, value: Json, place: str) -> None:
        """Raise ClientError where anything at or under the place is outside."""
        if value is None:
            return
        inner: list[tuple[Json, bool]] = [([value], True)]
        while inner:
            found, bare = inner.pop()
            members = found if isinstance(found, list) else [*found, *found.values()]
            bare = bare and isinstance(found, list)
            self._check_all([each for each in members if not _holds(each)], place, bare=bare)
            inner += [(each, bare) for each in members if _holds(each)]

    def check_numbers(self, least: float, most: float, place: str) -> None:
        """Of many numbers the smallest and the largest."""
        if self.min is not None and least < self.min:
            raise ClientError(f"{shown(place)} must be at least {self.min}.", _REFUSED)
        if self.max is not None and most > self.max:
            raise ClientError(f"{shown(place)} must be at most {self.max}.", _REFUSED)

    def check_members(self, values: Iterable[Scalar], place: str) -> None:
        if self.values and not {(_TYPES[type(each)], each) for each in values} <= self._known:
            raise ClientError(
                f"{shown(place)} must be one of {len(self.values)} known values.", _REFUSED
            )

    def check_text(self, text: str, place: str) -> None:
        if self.min_length is not None and len(text) < self.min_length:
            raise ClientError(
                f"{shown(place)} must have at least {self.min_length} characters.", _REFUSED
            )
        if self.max_length is not None and len(text) > self.max_length:
            raise ClientError(
                f"{shown(place)} must have at most {self.max_length} characters.", _REFUSED
            )
        if self.characters is not None and not has_only(text, self.characters):
            wrong = f"holds a character that is none of {self.characters!r}"
            raise ClientError(f"{shown(place)} {wrong}.", _REFUSED)
        if self.scripts and not is_of(text, self.scripts):
            raise ClientError(f"{shown(place)} holds a letter of another script.", _REFUSED)

    def _check_all(self, scalars: Sequence[Json], place: str, *, bare: bool) -> None:
        """``bare`` where all of them must be of a type it speaks of."""
        kinds = set(map(type, scalars))
        foreign = any(_TYPES.get(kind) not in self.types for kind in kinds)
        if foreign and bare and self.types:
            raise ClientError(
                f"{shown(place)} must be {' or '.join(sorted(self.types))}.", _REFUSED
            )
        of = [each for each in scalars if _TYPES.get(type(each)) in self.types]
        if not of:
            return
        self.check_members(of, place)
        if numbers := [each for each in of if type(each) in (int, float)]:
            self.check_numbers(min(numbers), max(numbers), place)
        if self._of_text:
            for text in of:
                if type(text) is str:
                    self.check_text(text, place)


def _holds(value: Json) -> bool:
    return type(value) in (dict, list)


def found(document: Json, path: Sequence[str]) -> list[Json]:
    """What stands at a path of names; arrays are stepped into."""
    values = [document]
    for name in path:
        values = [value[name] for value in _objects(values) if name in value]
    return values


def _objects(values: list[Json]) -> list[dict[str, Json]]:
    """The objects among values, and in arrays of them."""
    objects: list[dict[str, Json]] = []
    while values:
        objects += [value for value in values if isinstance(value, dict)]
        values = [item for value in values if isinstance(value, list) for item in value]
    return objects
