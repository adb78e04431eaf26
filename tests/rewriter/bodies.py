"""What model servers send, and what they should not; and what becomes of it."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import strategies as st

from extproc import rewriter
from extproc.dialects import OpenAIChat, OpenAIEmbeddings
from extproc.dialects.answers import Events
from extproc.dialects.mutation import Mutation
from extproc.dialects.shape import Rewrite
from extproc.errors import UpstreamError
from extproc.fidelity import Fidelity
from extproc.mutators import Mutator, Quantize, Round, TopK, Truncate
from extproc.prediction import KINDS, Kind
from extproc.rewriter import WHOLE, DocumentRewriter, EventRewriter

CAP = 1 << 20
CHAT = OpenAIChat(allow_response=("choices.message.annotations",)).answer()
EMBEDDINGS = OpenAIEmbeddings().answer()
STREAM = Events(CHAT, frozenset({b"[DONE]"}))

SECRET = "s3cret"

EVERYTHING: Mapping[Kind, Sequence[Mutator]] = dict.fromkeys(KINDS, ())
LOWERED: Mapping[Kind, Sequence[Mutator]] = {
    "text": (),
    "logprobs": (TopK(k=1), Round(digits=2)),
    "embedding": (Truncate(dimensions=3), Quantize(bits=8)),
}
LITTLE: Mapping[Kind, Sequence[Mutator]] = {"usage": ()}


def edits(kinds: Mapping[Kind, Sequence[Mutator]]) -> dict[Kind, Mutation | None]:
    return Fidelity("tier", kinds).edits()


# What model servers send, and what they should not.

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
names = st.sampled_from(["", "x", "choices", "kv_transfer_params", "prompt_token_ids", "é\n"])
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(-1e9, 1e9), text
)
anything = st.recursive(
    scalars | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


token = st.fixed_dictionaries(
    {"token": text, "logprob": st.floats(-20, 0)}, optional={"bytes": st.none() | st.just([226])}
)
entries = st.builds(
    lambda chosen, others: {**chosen, "top_logprobs": others}, token, st.lists(token, max_size=3)
)
message = objects(
    role=st.just("assistant"),
    content=st.none() | text,
    reasoning=text,
    tool_calls=st.lists(objects(index=st.integers(0, 3), function=objects(arguments=text))),
    annotations=anything,
)
choice = objects(
    index=st.integers(0, 9),
    message=message,
    delta=message.map(lambda known: {k: v for k, v in known.items() if k != "annotations"}),
    logprobs=st.none() | objects(content=st.none() | st.lists(entries, max_size=2)),
    finish_reason=st.none() | text,
)
chats = objects(
    id=text,
    created=st.integers(0, 2**40),
    model=st.sampled_from(["m", "m-2026-11-25"]),
    system_fingerprint=text,
    choices=st.lists(choice, max_size=2),
    usage=st.none() | objects(prompt_tokens=st.integers(0, 9), total_tokens=st.integers(0, 9)),
    error=st.none(),
)
vectors = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=6)
embeddings = objects(
    object=st.just("list"),
    data=st.lists(objects(index=st.integers(0, 9), embedding=st.none() | vectors), max_size=3),
    model=st.just("m"),
    usage=st.none() | objects(prompt_tokens=st.integers(0, 9)),
)
written = st.builds(
    lambda indent, separators, ascii_only: (
        lambda value: json.dumps(
            value, indent=indent, separators=separators, ensure_ascii=ascii_only
        ).encode()
    ),
    st.none() | st.integers(0, 2),
    st.sampled_from([None, (",", ":"), (" , ", " : ")]),
    st.booleans(),
)


@st.composite
def with_unknown_fields(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> Any:
    """The value with unknown fields in some of its objects, also in places of other types."""

    def grow(value: Any) -> Any:
        if isinstance(value, list):
            return [grow(item) for item in value]
        if not isinstance(value, dict):
            return value
        pairs = [(name, grow(item)) for name, item in value.items()]
        if draw(st.booleans()):
            at = draw(st.integers(0, len(pairs)))
            name = draw(names.filter(lambda name: name not in value and name != "choices"))
            pairs.insert(at, (name, draw(anything)))
        return dict(pairs)

    return grow(draw(values))


def split(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def singly(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def document(
    pieces: Sequence[bytes],
    kinds: Mapping[Kind, Sequence[Mutator]],
    *,
    node: Any = CHAT,
    cap: int = CAP,
    streamed: bool = False,
) -> bytes:
    """What becomes of a document; ``streamed`` takes the way of a large one."""
    patch = pytest.MonkeyPatch()
    patch.setattr(rewriter.document, "WHOLE", 0 if streamed else WHOLE)
    try:
        machine = DocumentRewriter(node, Rewrite(edits(kinds), "m"), cap)
        fed = [part for piece in pieces for part in machine.feed(piece) if part]
        return b"".join([*fed, *filter(None, machine.finish())])
    finally:
        patch.undo()


def events(pieces: Sequence[bytes], kinds: Mapping[Kind, Sequence[Mutator]]) -> bytes:
    machine = EventRewriter(STREAM, Rewrite(edits(kinds), "m"), CAP)
    fed = [part for piece in pieces for part in machine.feed(piece) if part]
    return b"".join([*fed, *filter(None, machine.finish())])


def outcome(work: Any) -> bytes | None:
    """The bytes, or None where they were refused."""
    try:
        made: bytes = work()
    except UpstreamError:
        return None
    return made


bodies = st.builds(lambda write, value: write(value), written, with_unknown_fields(chats))
cuts = st.lists(st.integers(0, 10_000), max_size=5)
tiers = st.sampled_from([EVERYTHING, LOWERED, LITTLE])
ways = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])

REPEATED = [
    b'{"choices":[{"message":{"content":"s3cret","content":"b"}}]}',
    b'{"id":"s3cret","id":"b"}',
    b'{"id":"a","usage":{"total_tokens":1,"total_tokens":2}}',
    b'{"choices":[{"message":{"content":"a"}}],"choices":[]}',
    b'{"choices":[{"message":{"annotations":{"x":"s3cret","x":1}}}]}',
    b'{"model":"s3cret","model":"m"}',
    b'{"error":{"message":"s3cret"},"error":null}',
    b'{"\\u0069d":"s3cret","id":"b"}',
]
