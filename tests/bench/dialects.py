"""What each API's answers cost to rewrite: every exchange of the corpus, at a lowered tier.

In this process, on one core, in CPU time, without Envoy and without grpc.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from extproc.dialects.answers import Answer, Events, Lines, streamed
from extproc.dialects.shape import Rewrite
from extproc.fidelity import Fidelity
from extproc.mutators import Mutator, Quantize, Round, TopK
from extproc.prediction import KINDS, Kind
from extproc.rewriter import body_rewriter
from tests.bench.figures import Figure, Table
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns
from tests.corpus.exchanges import Recorded, recorded

_LOWERED: Final[Mapping[Kind, Sequence[Mutator]]] = {
    **dict.fromkeys(KINDS, ()),
    "probabilities": (TopK(k=3), Round(digits=2)),
    "score": (Round(digits=2),),
    "logprobs": (TopK(k=2), Round(digits=3)),
    "embedding": (Quantize(bits=8),),
}
_CAP: Final = 1 << 20


def dialects() -> Table:
    exchanges = recorded()
    scale, *took = take_turns([Work(empty_loop), *map(_work, exchanges)])
    figures = [
        Figure(_name(one), "us", spread) for one, spread in zip(exchanges, took, strict=True)
    ]
    return Table(
        "Rewriting the answers of the corpus",
        "",
        (Figure(EMPTY_LOOP, "us", scale), *figures),
    )


def _work(one: Recorded) -> Work:
    answer = one.route.dialect.answers()[one.media_type]
    edits = Fidelity("bench", _LOWERED).edits()

    def ours() -> None:
        rewriter = body_rewriter(answer, one.answer_headers, Rewrite(edits, "m"), _CAP)
        b"".join(filter(None, rewriter.feed(one.answer)))
        b"".join(filter(None, rewriter.finish()))

    return Work(ours, per=_pieces(one, answer))


def _pieces(one: Recorded, answer: Answer) -> int:
    """Events or lines of a stream; a document is one."""
    match answer:
        case Events():
            return max(1, one.answer.count(b"data:"))
        case Lines():
            return max(1, one.answer.count(b"\n"))
        case _:
            return 1


def _name(one: Recorded) -> str:
    answer = one.route.dialect.answers()[one.media_type]
    what = "each event" if streamed(answer) and _pieces(one, answer) > 1 else "answer"
    return f"{one.name}, {what} ({len(one.answer) // _pieces(one, answer):,} bytes)"
