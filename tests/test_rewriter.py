"""Laws of the body rewriters, over both ways a document is read and over event streams."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from extproc import rewriter
from extproc.dialects import OpenAIChat, OpenAIEmbeddings
from extproc.dialects.answers import Events
from extproc.dialects.shape import Mutation, Rewrite
from extproc.errors import UpstreamError
from extproc.mutators import Mutator, Quantize, Round, TopK, Truncate
from extproc.policy import Fidelity
from extproc.prediction import KINDS, Kind
from extproc.rewriter import WHOLE, DocumentRewriter, EventRewriter, rewritten

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
        fed = [part for piece in pieces for part in machine.feed(piece)]
        return b"".join([*fed, *machine.finish()])
    finally:
        patch.undo()


def events(pieces: Sequence[bytes], kinds: Mapping[Kind, Sequence[Mutator]]) -> bytes:
    machine = EventRewriter(STREAM, Rewrite(edits(kinds), "m"), CAP)
    fed = [part for piece in pieces for part in machine.feed(piece)]
    return b"".join([*fed, *machine.finish()])


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


@ways
@given(body=bodies, cuts=cuts, kinds=tiers)
def test_a_document_does_not_depend_on_how_it_was_cut(
    body: bytes, cuts: list[int], kinds: Mapping[Kind, Sequence[Mutator]], *, streamed: bool
) -> None:
    whole = document([body], kinds, streamed=streamed)
    assert document(split(body, cuts), kinds, streamed=streamed) == whole
    assert document(singly(body), kinds, streamed=streamed) == whole


@given(value=st.one_of(chats, with_unknown_fields(chats)), write=written, kinds=tiers)
def test_small_and_large_documents_are_rewritten_alike(
    value: Any, write: Any, kinds: Mapping[Kind, Sequence[Mutator]]
) -> None:
    body = write(value)
    whole = document([body], kinds)
    assert json.loads(document([body], kinds, streamed=True)) == json.loads(whole)


@given(value=with_unknown_fields(embeddings), write=written, kinds=tiers)
def test_vectors_of_small_and_large_documents_are_rewritten_alike(
    value: Any, write: Any, kinds: Mapping[Kind, Sequence[Mutator]]
) -> None:
    body = write(value)
    whole = document([body], kinds, node=EMBEDDINGS)
    large = document([body], kinds, node=EMBEDDINGS, streamed=True)
    assert json.loads(large) == json.loads(whole)


@ways
@given(value=chats, write=written)
def test_a_document_that_needs_no_change_passes_byte_for_byte(
    value: Any, write: Any, *, streamed: bool
) -> None:
    body = write(value)
    assert document([body], EVERYTHING, streamed=streamed) == body


@ways
def test_numbers_keep_their_digits(*, streamed: bool) -> None:
    body = b'{"created":1.00,"id":"\\u0061","model":"m","usage":{"total_tokens":1e0}}'
    assert document([body], EVERYTHING, streamed=streamed) == body


PASSING = {
    "": {"id", "object", "created", "model", "choices", "usage", "error"},
    "choices[]": {"index", "message", "delta", "finish_reason", "logprobs"},
    "choices[].message": {"role", "content", "refusal", "tool_calls", "annotations"},
    "choices[].delta": {"role", "content", "refusal", "tool_calls"},
    "choices[].message.tool_calls[]": {"index", "id", "type", "function", "custom"},
    "choices[].delta.tool_calls[]": {"index", "id", "type", "function", "custom"},
    "choices[].message.tool_calls[].function": {"name", "arguments"},
    "choices[].delta.tool_calls[].function": {"name", "arguments"},
    "usage": {"prompt_tokens", "completion_tokens", "total_tokens"},
}
"""Written by hand from the API reference: what a tier of text and usage may show."""


def places(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every object's place with every name it has."""
    if isinstance(value, list):
        for item in value:
            yield from places(item, f"{place}[]")
    if isinstance(value, dict):
        for name, item in value.items():
            yield place, name
            if name != "annotations":  # let through by the operator, whatever it holds
                yield from places(item, f"{place}.{name}" if place else name)


@ways
@given(body=bodies)
def test_what_the_tree_does_not_name_does_not_pass(body: bytes, *, streamed: bool) -> None:
    out = json.loads(document([body], {"text": (), "usage": ()}, streamed=streamed))
    for place, name in places(out):
        assert name in PASSING[place]


@ways
@given(body=bodies)
def test_what_a_tier_does_not_grant_does_not_pass(body: bytes, *, streamed: bool) -> None:
    out = json.loads(document([body], LITTLE, streamed=streamed))
    for one in out.get("choices") or []:
        assert one.get("logprobs") is None
        for part in ("message", "delta"):
            found = one.get(part) or {}
            assert found.keys() <= {"role", "content", "refusal", "annotations"}
            assert found.get("content") is None
    assert out.get("model", "m") == "m"


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


@ways
@pytest.mark.parametrize("body", REPEATED)
@pytest.mark.parametrize("kinds", [EVERYTHING, LOWERED], ids=["identity", "changed"])
def test_a_key_never_passes_twice(
    body: bytes, kinds: Mapping[Kind, Sequence[Mutator]], *, streamed: bool
) -> None:
    """A client that reads the first value would see what the tree never looked at."""
    for pieces in ([body], singly(body)):
        out = outcome(lambda: document(pieces, kinds, streamed=streamed))  # noqa: B023
        if out is None:
            continue
        assert SECRET.encode() not in out
        json.loads(out, object_pairs_hook=once)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("body", REPEATED)
def test_a_key_never_passes_twice_in_an_event(body: bytes) -> None:
    out = outcome(lambda: events([b"data: " + body + b"\n\n"], EVERYTHING))
    assert out is None or SECRET.encode() not in out


UNREADABLE = [
    b"",
    b" ",
    b"s3cret",
    b"null s3cret",
    b'{"id":"a"} {"id":"b"}',
    b'{"id":"a"',
    b'{"id":NaN}',
    b'{"id":"\xff"}',
    b'{"id":"\\ud800"}',
    b'\xef\xbb\xbf{"id":"a"}',
    b'{"id":"a",}',
    b"{'id':'a'}",
    b'{"id":"a"}//',
    b"[]",
    b'"s3cret"',
    b"7",
    b'{"choices":{}}',
    b'{"choices":[[]]}',
    b'{"id":{}}',
    b'{"id":[1]}',
    b'{"model":{"x":1}}',
    b'{"error":{"message":"s3cret"}}',
    b'{"error":false}',
    b'{"choices":[{"message":{"content":["s3cret"]}}]}',
    b'{"choices":[{"logprobs":{"content":[{"token":"a"}]}}]}',
    b'{"x":' + b"[" * 2000 + b"]" * 2000 + b"}",
]


@ways
@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_not_of_the_api_never_passes(body: bytes, *, streamed: bool) -> None:
    for pieces in ([body], singly(body)):
        with pytest.raises(UpstreamError) as error:
            document(pieces, EVERYTHING, streamed=streamed)
        assert SECRET not in str(error.value)


@ways
@given(body=bodies, at=st.integers(0, 10_000), noise=st.binary(max_size=3))
def test_what_passes_is_json_whatever_happened_to_the_answer(
    body: bytes, at: int, noise: bytes, *, streamed: bool
) -> None:
    at %= len(body)
    for damaged in (body[:at], body[:at] + noise + body[at + 1 :], body + noise):
        out = outcome(lambda: document([damaged], LOWERED, streamed=streamed))  # noqa: B023
        if out is not None:
            orjson.loads(damaged)
            json.loads(out, object_pairs_hook=once)


@ways
def test_an_answer_nested_too_deeply_to_be_written_anew_is_unreadable(*, streamed: bool) -> None:
    """The operator let the field through, whatever it holds; another field makes it a change."""
    deep = b"[" * 300 + b"]" * 300
    body = b'{"x":1,"choices":[{"message":{"annotations":%b}}]}' % deep
    with pytest.raises(UpstreamError, match="nested"):
        document([body], EVERYTHING, streamed=streamed)


def test_a_mutator_that_is_broken_is_no_fault_of_the_answer() -> None:
    def broken(*_: object) -> None:
        raise TypeError("a mutator made Score of an embedding")

    body = b'{"data":[{"embedding":[1.0]}]}'
    with pytest.raises(TypeError, match="a mutator made"):
        rewritten(body, EMBEDDINGS, Rewrite({"embedding": broken}, "m"))


def chat_of(content: str, choices: int = 1) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, "reasoning": SECRET}
    choice = {"index": 0, "message": said, "logprobs": {"content": [], "x": SECRET}, "y": SECRET}
    return {"id": "c", SECRET: [SECRET], "model": SECRET, "choices": [choice] * choices}


@pytest.mark.parametrize("piece", [37, 1000, WHOLE - 1, WHOLE, WHOLE + 1, 1 << 20])
def test_a_document_above_the_bound_is_out_before_it_is_whole(piece: int) -> None:
    body = orjson.dumps(chat_of("a" * 100, choices=5 * WHOLE // 200))
    assert len(body) > 2 * WHOLE
    machine = DocumentRewriter(CHAT, Rewrite(edits({"text": ()}), "m"), CAP)
    out, before = b"", b""
    for start in range(0, len(body), piece):
        before = out
        out += b"".join(machine.feed(body[start : start + piece]))
        assert machine.held <= WHOLE + piece
    assert before or piece > len(body) // 2
    out += b"".join(machine.finish())
    assert SECRET.encode() not in out
    said = {"role": "assistant", "content": "a" * 100}
    choice = {"index": 0, "message": said, "logprobs": None}
    assert json.loads(out) == {
        "id": "c",
        "model": "m",
        "choices": [choice] * (5 * WHOLE // 200),
    }


def test_a_document_up_to_the_bound_is_out_when_it_is_whole() -> None:
    body = b'{"id":"' + b"a" * (WHOLE - 9) + b'"}'
    machine = DocumentRewriter(CHAT, Rewrite(edits({}), "m"), CAP)
    assert b"".join(machine.feed(body[:-1])) == b""
    assert machine.held == WHOLE - 1
    assert b"".join(machine.feed(body[-1:])) == b""
    assert b"".join(machine.finish()) == body


def test_a_value_above_the_cap_is_refused_in_a_large_document() -> None:
    body = orjson.dumps(chat_of("a" * 2000, choices=WHOLE // 1000))
    with pytest.raises(UpstreamError, match="larger than 1000 bytes"):
        document([body[at : at + 100] for at in range(0, len(body), 100)], {"text": ()}, cap=1000)


# Streams of events.

framed = st.lists(
    st.one_of(
        st.builds(lambda write, value: write(value), written, with_unknown_fields(chats)),
        st.just(b"[DONE]"),
    ),
    max_size=4,
)
line_ends = st.sampled_from([b"\n", b"\r\n", b"\r"])


def stream(documents: list[bytes], line_end: bytes, *, more: bool) -> bytes:
    """The documents as events; ``more`` adds what clients of these APIs do not read."""
    body = b": hello" + line_end * 2 if more else b""
    for number, one in enumerate(documents):
        lines = [b"data: " + line for line in one.split(b"\n")]
        if more and number % 2:
            lines.insert(0, b"event: s3cret")
            lines.append(b"id: s3cret")
        body += line_end.join(lines) + line_end * 2
    return body


@given(documents=framed, line_end=line_ends, cuts=cuts, kinds=tiers, more=st.booleans())
def test_a_stream_does_not_depend_on_how_it_was_cut(
    documents: list[bytes],
    line_end: bytes,
    cuts: list[int],
    kinds: Mapping[Kind, Sequence[Mutator]],
    *,
    more: bool,
) -> None:
    body = stream(documents, line_end, more=more)
    whole = events([body], kinds)
    assert events(split(body, cuts), kinds) == whole
    assert events(singly(body), kinds) == whole


@given(documents=st.lists(chats, max_size=4), write=written, line_end=line_ends)
def test_a_stream_that_needs_no_change_passes_byte_for_byte(
    documents: list[Any], write: Any, line_end: bytes
) -> None:
    body = stream([*map(write, documents), b"[DONE]"], line_end, more=False)
    assert events([body], EVERYTHING) == body


@given(documents=framed, line_end=line_ends, kinds=tiers, more=st.booleans())
def test_the_events_of_a_stream_are_its_documents_rewritten(
    documents: list[bytes],
    line_end: bytes,
    kinds: Mapping[Kind, Sequence[Mutator]],
    *,
    more: bool,
) -> None:
    out = events([stream(documents, line_end, more=more)], kinds)
    read = [event.data for event in SSEDecoder().iter_bytes(iter([out]))]
    assert len(read) == len(documents)
    for data, one in zip(read, documents, strict=True):
        if one == b"[DONE]":
            assert data == "[DONE]"
        else:
            assert json.loads(data) == json.loads(document([one], kinds))


def test_the_fields_of_an_event_that_nobody_reads_do_not_pass() -> None:
    body = b': s3cret\n\nevent: s3cret\nid: s3cret\nretry: 5\ndata: {"id":"a"}\n: s3cret\n\n'
    assert events([body], EVERYTHING) == b':\n\ndata: {"id":"a"}\n\n'
    assert events([b"event: ping\n\n"], EVERYTHING) == b""
    assert events([b"\n\r\n\n: s3cret\n\n"], EVERYTHING) == b":\n\n"


def test_the_end_of_a_stream_passes_as_it_came_and_alone() -> None:
    assert events([b"data:[DONE]\r\n\r\n"], LITTLE) == b"data:[DONE]\r\n\r\n"
    assert events([b"event: s3cret\ndata: [DONE]\n\n"], LITTLE) == b"data: [DONE]\n\n"
    for data in (b"[DONE] s3cret", b" [DONE]", b"[done]"):
        with pytest.raises(UpstreamError):
            events([b"data: " + data + b"\n\n"], LITTLE)


def test_what_came_before_an_unreadable_event_is_not_lost() -> None:
    machine = EventRewriter(STREAM, Rewrite(edits(EVERYTHING), "m"), CAP)
    pieces = machine.feed(b'data: {"id":"a"}\n\ndata: s3cret\n\ndata: {"id":"b"}\n\n')
    assert next(pieces) == b'data: {"id":"a"}\n\n'
    with pytest.raises(UpstreamError):
        next(pieces)


def test_an_unfinished_event_is_held_and_rewritten_at_the_end() -> None:
    machine = EventRewriter(STREAM, Rewrite(edits(LITTLE), "m"), CAP)
    body = b'data: {"id":"a","x":"s3cret"}'
    assert [*machine.feed(body)] == []
    assert machine.held == len(body)
    assert [*machine.finish()] == [b'data: {"id":"a"}\n\n']
    assert machine.held == 0


def test_an_event_of_another_shape_is_counted_where_it_stands() -> None:
    run = Rewrite(edits(LITTLE), "m")
    machine = EventRewriter(STREAM, run, CAP)
    body = b'data: {"s3cret":1,"choices":[{"delta":{"content":"s3cret"}}]}\n\n'
    assert b"".join(machine.feed(body)) == b'data: {"choices":[{"delta":{}}]}\n\n'
    assert run.dropped == {"*": 1, "choices[].delta.content": 1}
