"""A body on its way through a dialect: what comes out for the client, whole or in pieces."""

from collections.abc import Iterable

from extproc.dialects.answers import Answers
from extproc.dialects.shape import Node, Rewrite
from extproc.dialects.value_stream import ValueStream
from extproc.rewriter import body_rewriter
from tests.dialects.tiers import MODEL, Edits

CAP = 1 << 20


def played(answers: Answers, media_type: str, pieces: Iterable[bytes], edits: Edits) -> bytes:
    """What leaves; raises UpstreamError where the answer cannot be released."""
    machine = body_rewriter(answers[media_type], {}, Rewrite(edits, MODEL), CAP)
    out = [part for piece in pieces for part in machine.feed(piece) if part]
    return b"".join([*out, *filter(None, machine.finish())])


def singly(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def walked(node: Node, body: bytes, edits: Edits) -> bytes:
    """What becomes of a document that is too large to be read whole, byte by byte."""
    stream = ValueStream(node, Rewrite(edits, MODEL), CAP)
    return b"".join([*map(stream.feed, singly(body)), stream.finish()])
