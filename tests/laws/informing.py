"""What is counted in bits of one answer of the corpus, served at a tier."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
import pytest

from extproc import rewriter
from extproc.canonical import at_once
from extproc.dialects.noted import Noted
from extproc.dialects.request import Asked
from extproc.dialects.shape import Rewrite
from extproc.dialects.told import Told
from extproc.errors import UpstreamError
from extproc.information import Information, Sizes, spent
from extproc.policy import Policy
from extproc.prediction import Kind
from extproc.rewriter import WHOLE, body_rewriter
from tests.corpus.exchanges import Recorded
from tests.laws.serving import Kinds, policy

SIZES: Final = Sizes(
    probabilities=50, score=200, embedding=2048, label=50, tensor=20_000, tokens=5_000
)
"""More than anything in the corpus has."""


@dataclass(frozen=True, slots=True)
class Informed:
    """What came out of an answer, and what was counted of it."""

    body: bytes
    bits: dict[Kind, int]
    told: Told
    expected: dict[Kind, int]
    """Before it was there."""


def read(exchange: Recorded, terms: Policy) -> Asked:
    """The request, with what was noted of it."""
    noted = Noted()
    asked = exchange.route.dialect.read(
        exchange.request, exchange.parameters, msgspec.structs.replace(terms.terms, noted=noted)
    )
    return msgspec.structs.replace(asked, noted=noted)


def inform(
    exchange: Recorded,
    kinds: Kinds,
    *,
    pieces: Iterable[bytes] | None = None,
    whole: int = WHOLE,
    sizes: Sizes = SIZES,
) -> Informed:
    """Serve an answer, and count.  Raise UpstreamError where it cannot be served."""
    terms = policy(exchange, kinds)
    asked = read(exchange, terms)
    query = asked.query
    information = Information(exchange.route.dialect, kinds, sizes)
    run = Rewrite(
        terms.edits,
        query.model,
        terms.draws(query.model, at_once(terms.digests(asked))),
        unasked=asked.unasked,
        told=Told(measure=information.measure(query.inputs)),
        inputs=query.inputs,
    )
    fields = {"content-type": exchange.content_type, **exchange.answer_headers}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewriter.document, "WHOLE", whole)
        machine = body_rewriter(terms.answers[exchange.media_type], fields, run, 1 << 20)
        parts = [exchange.answer] if pieces is None else pieces
        out = [part for piece in parts for part in machine.feed(piece) if part]
        out += filter(None, machine.finish())
    expected = information.expected(query, asked.noted)
    return Informed(b"".join(out), spent(run.told, ended=True), run.told, expected)


def informed(exchange: Recorded, kinds: Kinds, **ways: object) -> Informed | None:
    """The same; None where it cannot be served."""
    try:
        return inform(exchange, kinds, **ways)  # type: ignore[arg-type]
    except UpstreamError:
        return None
