"""The effective policy as YAML, with the file and line of every value behind it.

Rule: what is printed can be read again, and says the same.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

from extproc.config.document import Document, Origin, Place, dotted

_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9._/*-]*(:[A-Za-z0-9._/-]+)*")
"""Text that YAML reads as itself, but for what it takes for something else."""
_TAKEN: Final = {"true", "false", "null"}
_COLUMN: Final = 60


def policy_text(document: Document) -> str:
    ruled = {each.place: each.origin for each in document.overruled}
    lines = []
    for place, text in _lines(document.data, (), ""):
        origin = document.origin(place)
        instead = f", instead of {ruled[place]}" if place in ruled else ""
        lines.append(f"{text:{_COLUMN}} # {origin}{instead}")
    aside = [each for each in document.overruled if each.place not in document.lines]
    lines += [f"# set aside: {dotted(each.place)}, {each.origin}, by {each.by}" for each in aside]
    return "\n".join(lines)


def origins(document: Document) -> Iterator[tuple[Place, Origin]]:
    """Where each value stands that holds no others."""
    for place, _ in _lines(document.data, (), ""):
        yield place, document.origin(place)


def _lines(data: Any, place: Place, indent: str) -> Iterator[tuple[Place, str]]:
    """Each line of what stands at a place, and the place it is about."""
    if isinstance(data, dict):
        for name, inner in data.items():
            yield from _entry(inner, (*place, name), indent, f"{_scalar(name)}:")
    else:
        for index, inner in enumerate(data):
            yield from _entry(inner, (*place, index), indent, "-")


def _entry(inner: Any, place: Place, indent: str, head: str) -> Iterator[tuple[Place, str]]:
    if inner in ({}, []) or not isinstance(inner, dict | list):
        yield place, f"{indent}{head} {_scalar(inner)}"
    elif isinstance(inner, list) and _short(inner):
        yield place, f"{indent}{head} {_flow(inner)}"
    else:
        yield place, f"{indent}{head}"
        yield from _lines(inner, place, f"{indent}  ")


def _short(data: list[Any]) -> bool:
    """A list that is one value; what a mapping holds may come from several files."""
    plain = not any(isinstance(each, dict | list) for each in data)
    return plain and len(_flow(data)) <= _COLUMN


def _flow(data: list[Any]) -> str:
    return f"[{', '.join(map(_scalar, data))}]"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _TAKEN:
        return value
    return orjson.dumps(value).decode()
