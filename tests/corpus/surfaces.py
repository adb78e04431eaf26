"""The table of all APIs that are served, surfaces.yaml: what leaks, what asks for more, other ways.

``leaks`` and ``streams`` name places of an answer by the kind that lets them pass: one of a tier's,
or ``everybody``, ``nobody``, or ``fault`` for what makes an answer unreadable.  A place is written
``a.b[].c``: ``[]`` is each item, ``[0]`` one of them, ``*`` each member, ``[name=x]`` the items of
which the field says so, ``{a,b}`` either.  ``asks`` says of a request's field: its value, what
becomes of it under the poorest terms and where everything is granted, and what stands beside it;
``out`` is taken out, ``pass`` goes on as it is.  ``traps`` are denied by a policy that routes the
path alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from extproc.prediction import Kind

_FILE: Final = Path(__file__).parent / "surfaces.yaml"
_PART: Final = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")


class To(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another value goes on."""

    to: Any


Effect = Literal["out", "pass", "refused"] | To
Whose = Kind | Literal["everybody", "nobody", "fault"]
Places = Mapping[Whose, Sequence[str]]


class Ask(msgspec.Struct, frozen=True, array_like=True):
    """One field of a request, with a value that would raise the fidelity of the answer."""

    field: str
    """Its place, or ``header`` and a name."""
    value: Any
    poor: Effect
    rich: Effect
    beside: dict[str, Any] = {}


class Surface(msgspec.Struct, frozen=True, forbid_unknown_fields=True, eq=False):
    """One form of answer of one API."""

    api: str
    path: str
    form: str = ""
    document: str = ""
    """The exchange of ``sweep/`` that is answered at once."""
    stream: str = ""
    dialect: Any = None
    """Where the exchange's own is not the one to ask."""
    message: tuple[str, str] | None = None
    """The request's and the answer's, where they are protobuf."""
    leaks: Places = {}
    streams: Places = {}
    request: Any = None
    """The least that is valid."""
    asks: tuple[Ask, ...] = ()
    header_fields: tuple[str, ...] = ()
    """Of an answer, which nobody gets to see."""
    media_types: tuple[str, ...] = ()
    """Of answers that are not released."""
    failures: tuple[Any, ...] = ()
    """What is not released: whole answers, or of a stream an event beside the others."""
    traps: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    """What is not to be had, and why."""

    @property
    def name(self) -> str:
        return f"{self.api}, {self.form}" if self.form else self.api

    @property
    def exchanges(self) -> list[tuple[str, Places]]:
        """The names of its exchanges, and what leaks in each."""
        both = ((self.document, self.leaks), (self.stream, self.streams))
        return [(name, places) for name, places in both if name]


@cache
def surfaces() -> tuple[Surface, ...]:
    """All of them, in the file's order."""
    return msgspec.yaml.decode(_FILE.read_bytes(), type=tuple[Surface, ...])


def spelt_out(place: str) -> Iterator[str]:
    """The places that braces put together: ``a.{b,c[].{d,e}}`` is three."""
    opening = place.find("{")
    if opening < 0:
        yield place
        return
    closing, commas = _closing(place, opening)
    for start, end in zip([opening, *commas], [*commas, closing], strict=True):
        yield from spelt_out(place[:opening] + place[start + 1 : end] + place[closing + 1 :])


def _closing(place: str, opening: int) -> tuple[int, list[int]]:
    """Where a brace is closed, and the commas between that are not in another."""
    depth, commas = 0, []
    for at in range(opening, len(place)):
        depth += {"{": 1, "}": -1}.get(place[at], 0)
        if place[at] == "," and depth == 1:
            commas.append(at)
        if not depth:
            return at, commas
    raise ValueError(f"{place} opens a brace and does not close it")


def values(value: Any, place: str) -> list[Any]:
    """What stands at a place; nothing where a part of it is missing."""
    found = [value]
    for bracket, name in _PART.findall(place):
        found = [item for each in found for item in _step(each, bracket, name)]
    return found


def _step(value: Any, bracket: str, name: str) -> list[Any]:
    match value:
        case dict() if name == "*":
            return [*value.values()]
        case dict() if name:
            return [value[name]] if name in value else []
        case list() if not name and not bracket:
            return value
        case list() if bracket.isdigit():
            return value[int(bracket) :][:1]
        case list() if bracket:
            return [item for item in value if _is(item, bracket)]
        case dict() if bracket:
            return [value] if _is(value, bracket) else []
        case _:
            return []


def _is(value: Any, condition: str) -> bool:
    name, _, wanted = condition.partition("=")
    return isinstance(value, dict) and str(value.get(name)).lower() == wanted.lower()


def having(value: Any, place: str, item: Any) -> Any:
    """The value with an item at this place, behind the others where the place ends in ``[]``."""
    parts = [name or "[]" for _, name in _PART.findall(place)]
    return _having(value, parts, item)


def _having(value: Any, parts: list[str], item: Any) -> Any:
    part, *rest = parts
    if part == "[]":
        if not rest:
            return [*(value or []), item]
        return [_having(each, rest, item) for each in value or [{}]]
    value = value or {}
    return value | {part: _having(value.get(part), rest, item) if rest else item}
