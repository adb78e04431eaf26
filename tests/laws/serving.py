"""One exchange of the corpus, served at a tier through the whole of the core."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pytest
from hypothesis import settings

from extproc import rewriter
from extproc.caps import Caps
from extproc.dialects.answers import Answer, Document, Frames
from extproc.dialects.gate import Terms
from extproc.dialects.mutation import Mutation
from extproc.draw import Draw
from extproc.events import (
    Abort,
    Action,
    Event,
    ReplaceRequest,
    ReplaceResponse,
    RequestBody,
    RequestHeaders,
    Respond,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    SendRequestHeaders,
    SendResponseBody,
    SendResponseHeaders,
    SendResponseTrailers,
    Work,
)
from extproc.exchange import Exchange
from extproc.fidelity import Fidelity
from extproc.marks.cells import Cells
from extproc.marks.marking import Marks
from extproc.mutators import Mutator
from extproc.policy import Policy
from extproc.prediction import KINDS, Kind, Usage
from extproc.rewriter import WHOLE
from tests.corpus.exchanges import Recorded, further, recorded
from tests.mutators.test_mutators import ALL

Kinds = Mapping[Kind, Sequence[Mutator]]

CELLS: Final = Cells(Draw(b"c" * 32))
OPEN: Final[Kinds] = dict.fromkeys(KINDS, ())
TEXT_AND_LABEL: Final[Kinds] = {"text": (), "label": ()}
NOTHING: Final[Kinds] = {}


def _lowered(mutator: Mutator) -> Kinds:
    return {kind: (mutator,) if kind in mutator.KINDS else () for kind in KINDS}


TIERS: Final[Mapping[str, Kinds]] = {
    "open": OPEN,
    "text_and_label": TEXT_AND_LABEL,
    "nothing": NOTHING,
    **{str(each.__struct_config__.tag): _lowered(each) for each in ALL},
}
"""Every kind, few of them, none, and each mutator wherever it can stand."""

UNCOMPARED: Final = frozenset(
    {
        "openai_embeddings_vllm",
        "sagemaker_built_in",
        "tei_embed_all_embedding",
        "tei_embed_sparse_document",
        "vertex_predict_custom",
        "vllm_pooling_embedding",
    }
)
"""Exchanges whose vectors are not one for each input, or not of one length."""

CORPUS: Final = {each.name: each for each in recorded()}
ANSWERS: Final = CORPUS | {each.name: each for each in further(CORPUS.values())}
"""And what else the corpora hold, of which some answers are refused."""
every_answer: Final = pytest.mark.parametrize("exchange", ANSWERS.values(), ids=ANSWERS)
every_exchange: Final = pytest.mark.parametrize("exchange", CORPUS.values(), ids=CORPUS)
every_tier: Final = pytest.mark.parametrize("kinds", TIERS.values(), ids=TIERS)


@dataclass(frozen=True, slots=True)
class Served:
    """What came out of an exchange."""

    asked: bytes | None
    """What went on to the model server; None where the request was refused."""
    status: int
    headers: tuple[tuple[str, str], ...]
    """As the client gets them, in order."""
    body: bytes
    outcome: str
    dropped: tuple[tuple[str, int], ...]
    fault: str
    usage: Usage
    """What was counted, whatever of it was served."""

    @property
    def released(self) -> bool:
        """Whether the answer went out to its end."""
        return self.outcome == "served"

    @property
    def wire(self) -> bytes:
        """Everything that reaches the client."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return f"{self.status}\r\n{fields}\r\n".encode() + self.body


def policy(
    exchange: Recorded, kinds: Kinds, edits: Mapping[Kind, Mutation | None] | None = None
) -> Policy:
    """A tenant with these kinds on the exchange's route; all draws of one key."""
    fidelity = Fidelity("law", kinds)
    mark = fidelity.mark
    return Policy(
        tenant="acme",
        route=exchange.route,
        fidelity=fidelity,
        edits=fidelity.edits() if edits is None else edits,
        answers=exchange.route.dialect.answers(),
        terms=Terms(frozenset(kinds), alternatives=fidelity.alternatives, salt="salt"),
        draw=Draw(b"k" * 32),
        models=("*",),
        limits=(),
        shadow=False,
        caps=Caps(),
        most_inputs=fidelity.compared,
        spaced=fidelity.rotates,
        marked_by=Draw(b"v" * 32),
        marks=None if mark is None else Marks(CELLS, Draw(b"m" * 32), mark.rate),
    )


def serve(
    exchange: Recorded,
    kinds: Kinds = OPEN,
    *,
    pieces: Iterable[bytes] | None = None,
    edits: Mapping[Kind, Mutation | None] | None = None,
    whole: int = WHOLE,
) -> Served:
    """Play the exchange; ``pieces`` are its answer's, ``whole`` bounds what is parsed at once."""
    machine = Exchange(policy(exchange, kinds, edits), exchange.parameters)
    fields = {":status": "200", "content-type": exchange.content_type, **exchange.answer_headers}
    body = [exchange.answer] if pieces is None else pieces
    client = _Client(fields)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewriter.document, "WHOLE", whole)
        for event in (*_script(exchange.request, fields, body), _end(exchange)):
            client.take(machine.receive(event))
            while machine.working:
                client.take(machine.receive(Work()))
    return Served(
        client.asked,
        client.status,
        tuple(client.headers.items()),
        client.body,
        machine.outcome,
        tuple(sorted(machine.dropped.items())),
        machine.fault,
        machine.told.usage,
    )


def _script(request: bytes, fields: Mapping[str, str], body: Iterable[bytes]) -> Iterator[Event]:
    yield RequestHeaders(end=not request)
    if request:
        yield RequestBody(request, end=True)
    yield ResponseHeaders(200, fields, end=False)
    for piece in body:
        yield ResponseBody(piece, end=False)


def _end(exchange: Recorded) -> Event:
    if isinstance(answer_of(exchange), Frames):
        return ResponseTrailers(("grpc-status",), "0")
    return ResponseBody(b"", end=True)


class _Client:
    """What Envoy does with the actions, seen from both of its ends."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.asked: bytes | None = None
        self.status = 0
        self.headers: dict[str, str] = {
            name: value for name, value in fields.items() if not name.startswith(":")
        }
        self.body = b""

    def take(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case SendRequestHeaders():
                    self.asked = b""
                case ReplaceRequest(body):
                    self.asked = body
                case SendResponseHeaders(more, removed):
                    self._head(200, more, removed)
                case ReplaceResponse(status, more, removed, body):
                    self._head(status, more, removed)
                    self.body = body
                case SendResponseBody(data):
                    self.body += data
                case Respond(status, headers, body):
                    self.status, self.headers, self.body = status, dict(headers), body
                case _:
                    assert isinstance(action, Abort | SendResponseTrailers)
                    self.body += b"<cut off>" if isinstance(action, Abort) else b""

    def _head(self, status: int, more: Mapping[str, str], removed: Iterable[str]) -> None:
        for name in removed:
            self.headers.pop(name, None)
        self.status = status
        self.headers |= more


def again(exchange: Recorded, served: Served) -> Recorded:
    """The same exchange with a model server that gives the answer which was served."""
    return replace(exchange, answer=served.body, answer_headers=dict(served.headers))


def answer_of(exchange: Recorded) -> Answer:
    """How its dialect reads this answer."""
    return exchange.route.dialect.answers()[exchange.media_type]


def ways(exchange: Recorded) -> list[int]:
    """Bounds of what is parsed at once: a document is read in both ways."""
    return [WHOLE, 0] if isinstance(answer_of(exchange), Document) else [WHOLE]


few: Final = settings(max_examples=max(8, settings().max_examples // 5))
"""For a property that is tried on every exchange there is."""
