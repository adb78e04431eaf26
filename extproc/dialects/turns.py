"""A parsed value rewritten in steps, between which others have their turn.

Rule: what comes out is what ``node.rewrite`` makes of the value at once; only where it is long is
it taken apart.  How long a part is, is guessed from the text that the whole was parsed of: an item
has its share of what its array is, a member may be all there is.
"""

from operator import is_
from typing import Any, Final

from extproc.dialects.answers import Steps
from extproc.dialects.shape import (
    ABSENT,
    Either,
    Fields,
    Gate,
    Items,
    Json,
    Node,
    Rewrite,
    Rows,
    Stepwise,
    with_changed,
)
from extproc.dialects.variants import Variants

STEP: Final = 4 << 10
"""Bytes of text, about, whose values are rewritten in one step: 3 ms where they are short rows."""


def in_turns(node: Node, value: Json, run: Rewrite, place: str, size: int) -> Steps[Json]:
    """The value as it may pass, parsed of so many bytes; in all else as Node.rewrite."""
    if size <= STEP or not isinstance(value, dict | list):
        return node.rewrite(value, run, place)
    match node:
        case Gate(kind, inner) if kind in run.edits:
            before = run.told.enter(kind)
            try:
                return (yield from in_turns(inner, value, run, place, size))
            finally:
                run.told.within = before
        case Either() | Rows():
            return (yield from in_turns(node.of(value), value, run, place, size))
        case Variants() if (found := node.of(value)) is not None:
            return (yield from in_turns(found, value, run, node.place(value, place), size))
        case Fields() if isinstance(value, dict):
            return (yield from _members(node, value, run, place, size))
        case Items() if type(node) is Items and isinstance(value, list):
            return (yield from _items(node, value, run, place, size))
        case Stepwise():
            return (yield from node.steps(value, run, place))
        case _:
            return node.rewrite(value, run, place)


def _members(
    node: Fields, value: dict[str, Json], run: Rewrite, place: str, size: int
) -> Steps[Json]:
    changed: dict[str, Json] = {}
    for name, old in value.items():
        inner = node.fields.get(name)
        if inner is None:
            changed[name] = run.drop(f"{place}.*" if place else "*")
        elif old is not None:
            within = f"{place}.{name}" if place else name
            new = yield from in_turns(inner, old, run, within, size)
            if new is not old:
                changed[name] = new
    return with_changed(value, changed) if changed else value


def _items(node: Items, value: list[Json], run: Rewrite, place: str, size: int) -> Steps[Json]:
    share = size // max(1, len(value))
    items: list[Any] = []
    since = 0
    try:
        for number, item in enumerate(value):
            if since >= STEP:
                since = 0
                yield
            since += share
            run.at = number if node.each else run.at
            items.append((yield from in_turns(node.node, item, run, f"{place}[]", share)))
    finally:
        run.at = None if node.each else run.at
    if all(map(is_, items, value)):
        return value
    return [item for item in items if item is not ABSENT]
