"""What a class or a place is called in a page."""

from textwrap import dedent
from typing import Any

import orjson

Row = tuple[str, str]
"""A place, and what happens there."""


def escaped(text: str) -> str:
    return text.replace("``", "`").replace("<", "&lt;").replace("|", "\\|")


def sentence(kind: type) -> str:
    """The first that a class says of itself."""
    first, _, _ = dedent(kind.__doc__ or "").strip().partition("\n\n")
    return escaped(" ".join(first.split()))


def own_words(part: Any) -> str:
    """The first sentence that its class says of itself, where it says one."""
    told = sentence(type(part))
    # dataclass's own, where nobody wrote one
    return "" if told.startswith(f"{type(part).__name__}(") else told


def as_json(value: Any) -> str:
    return f"`{orjson.dumps(value).decode()}`"


def at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
