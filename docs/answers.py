"""What becomes of an answer, in words: of each place, by the tree that a dialect reads it with."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

from docs.page import table
from docs.words import Row, at, own_words
from extproc.dialects.answers import (
    Answer,
    Array,
    Body,
    Document,
    Events,
    Frames,
    Lines,
)
from extproc.dialects.counted import Counted
from extproc.dialects.gathered import Gathered
from extproc.dialects.shape import (
    Anything,
    Fault,
    Fields,
    Gate,
    Items,
    Keep,
    Leaf,
    ModelName,
    Opaque,
)


def answers(dialect: Any) -> Iterator[str]:
    """One table for each tree; where two media types share one it stands once."""
    told: dict[str, str] = {}
    for media, answer in sorted(dialect.answers().items(), key=lambda one: one[0]):
        title, node = _framing(answer)
        rows = _grouped(_nodes(node, "", "", ())) if node is not None else []
        places = table(("what happens", "places"), rows) if rows else ""
        same = f" The places are those of `{told[places]}`." if rows and places in told else ""
        yield f"**Answers** of `{media}`: {title}.{same}\n" + ("" if same else f"\n{places}")
        told.setdefault(places, media)


def _grouped(found: Iterator[Row]) -> list[Row]:
    """What happens, and every place at which it does."""
    places: dict[str, list[str]] = {}
    for place, what in found:
        shown = f"`{place}`" if place else "the whole answer"
        listed = places.setdefault(what, [])
        if shown not in listed:
            listed.append(shown)
    return [(what, ", ".join(listed)) for what, listed in places.items()]


def _framing(answer: Answer) -> tuple[str, Any]:
    match answer:
        case Document(node):
            return "one JSON document", node
        case Events(node, sentinels, named):
            ends = ", ".join(f"`{one.decode()}`" for one in sorted(sentinels))
            named_too = ", each called by its `type`" if named else ""
            return f"server-sent events{named_too}{f'; {ends} passes' if ends else ''}", node
        case Lines(node):
            return "JSON documents, one a line", node
        case Array(node):
            return "a JSON array, sent element by element", node
        case Body(reading):
            return "read whole", reading
        case Frames(message, streamed):
            return f"gRPC messages{', one after the other' if streamed else ''}", message


def _nodes(node: Any, place: str, within: str, above: tuple[int, ...]) -> Iterator[Row]:
    """Every place of the tree; a tree that holds itself is walked once."""
    if id(node) in above:
        return
    walk = partial(_nodes, above=(*above, id(node)))
    match node:
        case Fields(known):
            for name, inner in known.items():
                yield from walk(inner, at(place, name), within)
        case Items(inner):
            yield from walk(inner, f"{place}[]", within)
        case Gate(kind, inner, nulled):
            yield place, f"`{kind}`, or {_left(nulled=nulled)}"
            yield from walk(inner, place, f" with `{kind}`") if type(inner) is not Keep else ()
        case Leaf(kind, _, shape, nulled):
            yield place, f"`{kind}`, changed as the tier says, or {_left(nulled=nulled)}"
            yield from walk(shape, place, f" with `{kind}`") if shape != Anything() else ()
        case Gathered(inner) | Counted(inner):
            yield place, _AROUND[type(node)]
            yield from walk(inner, place, within)
        case Keep() | Anything():
            yield place, f"passes{within}"
        case Opaque(kind):
            yield place, f"`{kind}`, or taken out"
        case ModelName():
            yield place, "the name the client asked for; the model server's own with `identity`"
        case Fault():
            yield place, "an answer that has it is not released"
        case _:
            yield place, own_words(node) or f"passes{within}"
            yield from _parts(node, place, partial(walk, within=within))


_AROUND = {
    Gathered: "one vector for each input; where the tier says `similarity`, one row",
    Counted: "read for the record's token counts, whether it passes or not",
}


def _left(*, nulled: bool) -> str:
    return "`null`" if nulled else "taken out"


def _parts(node: Any, place: str, walk: Callable[[Any, str], Iterator[Row]]) -> Iterator[Row]:
    """The nodes inside a node that only its dialect knows."""
    if not is_dataclass(node):
        return
    for field in fields(node):
        match getattr(node, field.name):
            case Mapping() as inside:
                for name, part in inside.items():
                    if hasattr(part, "rewrite"):
                        yield from walk(part, f"{place}({name})" if place else f"({name})")
            case frozenset() as names:
                for name in sorted(map(str, names)):
                    yield from walk(Keep(), at(place, name))
            case part if hasattr(part, "rewrite"):
                yield from walk(part, place)
