"""Laws of documents, over both ways in which one is read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.shape import Fields, Gate, Node, Rewrite
from extproc.errors import UpstreamError
from extproc.mutators import Mutator
from extproc.prediction import Kind
from extproc.rewriter import WHOLE, DocumentRewriter, rewritten
from tests.rewriter.bodies import (
    CAP,
    CHAT,
    EMBEDDINGS,
    EVERYTHING,
    LITTLE,
    LOWERED,
    REPEATED,
    SECRET,
    bodies,
    chats,
    cuts,
    document,
    edits,
    embeddings,
    outcome,
    singly,
    split,
    tiers,
    ways,
    with_unknown_fields,
    written,
)


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
        out += b"".join(filter(None, machine.feed(body[start : start + piece])))
        assert machine.held <= WHOLE + piece
    assert before or piece > len(body) // 2
    out += b"".join(filter(None, machine.finish()))
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
    assert b"".join(filter(None, machine.feed(body[:-1]))) == b""
    assert machine.held == WHOLE - 1
    assert b"".join(filter(None, machine.feed(body[-1:]))) == b""
    assert b"".join(filter(None, machine.finish())) == body


def test_a_value_above_the_cap_is_refused_in_a_large_document() -> None:
    body = orjson.dumps(chat_of("a" * 2000, choices=WHOLE // 1000))
    with pytest.raises(UpstreamError, match="larger than 1000 bytes"):
        document([body[at : at + 100] for at in range(0, len(body), 100)], {"text": ()}, cap=1000)


class Nothing:
    """A whole tree that lets nothing pass."""

    def rewrite(self, value: Any, run: Rewrite, place: str) -> Any:
        return run.drop(place)


@ways
@pytest.mark.parametrize("tree", [Nothing(), Gate("logprobs", Nothing())])
@pytest.mark.parametrize("body", [b'{"s3cret":1}', b' {"s3cret":1}\n', b'["s3cret"]', b"7 "])
def test_a_document_of_which_nothing_may_pass_is_refused(
    tree: Node, body: bytes, *, streamed: bool
) -> None:
    for pieces in ([body], singly(body)):
        with pytest.raises(UpstreamError, match="nothing that may pass"):
            document(pieces, LITTLE, node=tree, streamed=streamed)


@ways
def test_a_document_that_is_closed_whole_leaves_nothing_or_null(*, streamed: bool) -> None:
    closed = Gate("logprobs", Fields({}), nulled=True)
    assert document([b' {"s3cret":1} '], LITTLE, node=closed, streamed=streamed).strip() == b"null"


def test_a_document_that_cannot_go_on_is_cut_off() -> None:
    assert DocumentRewriter(CHAT, Rewrite({}, "m"), CAP).cut(b"s3cret") is None
