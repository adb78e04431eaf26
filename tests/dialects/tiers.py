"""Tiers to serve answers at, and the answer as a client reads it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import orjson

from extproc.dialects.answers import Answer
from extproc.dialects.mutation import Mutation
from extproc.dialects.shape import Json, Node, Rewrite
from extproc.fidelity import Fidelity
from extproc.mutators import Mutator
from extproc.prediction import KINDS, Kind
from extproc.rewriter import body_rewriter

Edits = dict[Kind, Mutation | None]

OPEN: Final[Edits] = dict.fromkeys(KINDS)
"""Every kind passes untouched."""
MODEL: Final = "alias"
"""What the client calls the model."""


def tier(kinds: Mapping[Kind, Sequence[Mutator]]) -> Edits:
    return Fidelity("test", kinds).edits()


def served(node: Node, body: bytes, edits: Edits) -> tuple[Json, Counter[str]]:
    """What the client parses, and what was dropped.  A document is sent whole."""
    run = Rewrite(edits, MODEL)
    after = node.rewrite(orjson.loads(body), run, "")
    left = orjson.loads(orjson.dumps(after, option=orjson.OPT_SERIALIZE_NUMPY))
    return left, Counter(run.dropped)


def released(answer: Answer, body: bytes, edits: Edits, *, size: int = 0) -> bytes:
    """The bytes that leave, where the body comes in pieces of this size, or whole."""
    rewriter = body_rewriter(answer, {}, Rewrite(edits, MODEL), 1 << 20)
    pieces = [body[at : at + size] for at in range(0, len(body), size)] if size else [body]
    out = [part for piece in pieces for part in rewriter.feed(piece) if part]
    return b"".join([*out, *filter(None, rewriter.finish())])


def is_untouched(node: Node, body: bytes, edits: Edits) -> bool:
    """Whether the very object comes back, and nothing was dropped."""
    run = Rewrite(edits, MODEL)
    value = orjson.loads(body)
    return node.rewrite(value, run, "") is value and not run.dropped


def leaves(value: Json, place: str = "") -> Iterator[str]:
    """Yield the path of everything that holds no further values, as trees name their places."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, f"{place}.{name}" if place else name)
    elif isinstance(value, list) and value:
        for item in value:
            yield from leaves(item, f"{place}[]")
    else:
        yield place
