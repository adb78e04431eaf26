"""HTML, built of elements: whatever is put into one is text, unless it is an element itself.

Rule: no string becomes markup by being forgotten; what has a name of its own in the document's
grammar (tags, attributes) is written in this program alone, and the rest is escaped.
"""

from html import escape
from typing import Final

_EMPTY: Final = frozenset({"meta"})


class Element(str):
    """Markup; any other string is text."""

    __slots__ = ()


def element(tag: str, *inside: str, **attributes: str) -> Element:
    """``class_`` stands for ``class``, ``http_equiv`` for ``http-equiv``."""
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
    )
    if tag in _EMPTY:
        return Element(f"<{tag}{said}>")
    return Element(f"<{tag}{said}>{''.join(map(_inner, inside))}</{tag}>")


def _inner(part: str) -> str:
    return part if isinstance(part, Element) else escape(part)
