"""What belongs at a place of the policy file, read from the types of its settings."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from msgspec import inspect

from extproc.config.document import Place
from extproc.config.settings import Settings

_type: Final = cache(inspect.type_info)
_PLAIN: Final[Mapping[type[inspect.Type], str]] = {
    inspect.BoolType: "true or false",
    inspect.DictType: "a mapping",
    inspect.NoneType: "nothing",
    inspect.StrType: "text",
    inspect.StructType: "a mapping",
}
_LISTED: Final = 12
"""Of more names than this the others are not listed."""


def expected(place: Place, data: Any, root: Any = Settings) -> inspect.Type:
    """The type of what stands at a place; the data says which of several types it is."""
    kind = _type(root)
    for step in place:
        kind = _inside(kind, data, step)
        data = data[step]
    return kind


def fields(kind: inspect.Type, value: Any) -> Mapping[str, inspect.Type]:
    """The fields of a mapping, by name: where its ``kind`` is not known, that alone."""
    structs = [member for member in _members(kind) if isinstance(member, inspect.StructType)]
    tags = [struct.tag for struct in structs if struct.tag is not None]
    found: dict[str, inspect.Type] = {}
    for struct in structs:
        if struct.tag_field is not None:
            found[struct.tag_field] = inspect.LiteralType(tuple(map(str, tags)))
        if struct.tag_field is None or value.get(struct.tag_field) == struct.tag:
            found |= {field.encode_name: field.type for field in struct.fields}
    return found


def key_type(kind: inspect.Type) -> inspect.Type:
    """What the keys of a mapping are."""
    (mapping,) = (member for member in _members(kind) if isinstance(member, inspect.DictType))
    return mapping.key_type


def names(kind: inspect.Type) -> list[str]:
    """The names that may stand there; none where it is no matter of names."""
    return [
        value
        for member in _members(kind)
        if isinstance(member, inspect.LiteralType)
        for value in member.values
        if isinstance(value, str)
    ]


def wanted(kind: inspect.Type) -> str:
    """What may stand there, in words."""
    match kind:
        case inspect.Metadata(extra_json_schema={"description": str(text)}):
            return text
        case inspect.Metadata(type=inner):
            return wanted(inner)
        case inspect.UnionType(types=types):
            return " or ".join(dict.fromkeys(map(wanted, types)))
        case inspect.LiteralType(values=values):
            return one_of(map(str, values))
        case inspect.IntType(ge=low, le=high):
            return f"a whole number{_range(low, high)}"
        case inspect.FloatType(gt=above, ge=low, lt=below, le=high):
            return f"a number{_bounds(above, low, below, high)}"
        case inspect.VarTupleType(min_length=low, max_length=high):
            return f"a list{_items(low, high)}"
        case _:
            return _PLAIN[type(kind)]


def _items(low: int | None, high: int | None) -> str:
    if high is not None:
        return f" of {low} to {high} items" if low else f" of at most {high} items"
    return " that is not empty" if low else ""


def _range(low: int | None, high: int | None) -> str:
    if low is None:
        return ""
    return f" from {low} to {high}" if high else f" of at least {low}"


def _bounds(above: float | None, low: float | None, below: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low:.15g} to {high:.15g}"
    bounds = {"above": above, "of at least": low, "below": below, "at most": high}
    told = [f"{name} {bound:.15g}" for name, bound in bounds.items() if bound is not None]
    return " " + " and ".join(told) if told else ""


def one_of(known: Iterable[str]) -> str:
    listed = list(known)
    text = ", ".join(listed[:_LISTED]) + (", ..." if len(listed) > _LISTED else "")
    return f"one of {text}" if len(listed) > 1 else text


def instead(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """What to write for a name that is not known: the nearest, or else any."""
    listed = list(known)
    if close := get_close_matches(name, listed, n=1):
        return f"did you mean {close[0]!r}?"
    return f"write {otherwise or one_of(listed)}" if listed else "add it"


def _inside(kind: inspect.Type, value: Any, step: str | int) -> inspect.Type:
    if isinstance(step, int):
        (inner,) = (m.item_type for m in _members(kind) if isinstance(m, inspect.VarTupleType))
        return inner
    known = fields(kind, value)
    if step in known:
        return known[step]
    (inner,) = (m.value_type for m in _members(kind) if isinstance(m, inspect.DictType))
    return inner


def _members(kind: inspect.Type) -> Iterator[inspect.Type]:
    match kind:
        case inspect.Metadata(type=inner):
            yield from _members(inner)
        case inspect.UnionType(types=types):
            for member in types:
                yield from _members(member)
        case _:
            yield kind
