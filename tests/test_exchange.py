"""Exchanges as scripts: what Envoy sends, and what it gets.  Then the laws, over random scripts."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc import rewriter, wording
from extproc.caps import Caps
from extproc.cause import Cause
from extproc.constant_rate import EventFiller
from extproc.dialects import KServeV2, OpenAIChat, OpenAIEmbeddings, Status, TeiPredict, knobs
from extproc.dialects.answers import Document
from extproc.dialects.shape import Fields, Rewrite
from extproc.draw import Draw
from extproc.errors import ProtocolError, UpstreamError
from extproc.events import (
    Abort,
    Action,
    Event,
    ReplaceRequest,
    ReplaceResponse,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    Respond,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    SendRequestBody,
    SendRequestHeaders,
    SendRequestTrailers,
    SendResponseBody,
    SendResponseHeaders,
    SendResponseTrailers,
    Work,
)
from extproc.exchange import Exchange, State
from extproc.marks.cells import Cells
from extproc.marks.marking import Marks
from extproc.mutators import (
    Mark,
    Mutator,
    Noise,
    Quantize,
    Rotate,
    Round,
    Similarity,
    TopK,
    Truncate,
)
from extproc.padding import Buckets
from extproc.policy import Policy
from extproc.prediction import Kind, Usage
from extproc.refusal import (
    INVALID_REQUEST,
    OVERLOADED,
    RATE_LIMITED,
    TOO_LARGE,
    UNKNOWN_MODEL,
    UPSTREAM_UNREADABLE,
    Refusal,
    of_upstream,
)
from extproc.rewriter import body_rewriter
from extproc.shaping import Grid, Rate, Shaping
from extproc.validation import Contract
from tests.playbook import (
    ANSWER,
    ASK,
    ASK_STREAM,
    EVENT,
    LAST,
    LEAKY,
    LEAKY_EVENT,
    REDUCED,
    SECRET,
    Step,
    headers,
    play,
    policy,
    scripts,
    told,
)

JSON = {"content-type": "application/json"}
FINAL = {**JSON, "x-should-retry": "false"}
SPACE = "x-extproc-space-id"
CHAT = OpenAIChat()


def respond(refusal: Refusal, dialect: Any = CHAT) -> Respond:
    said = wording.told(refusal, dialect)
    return Respond(said.status, said.headers, said.body, f"extproc_{refusal.outcome}")


def error_event(refusal: Refusal = UPSTREAM_UNREADABLE) -> bytes:
    return b"data: " + CHAT.error(refusal) + b"\n\n"


def asked(body: bytes = ASK) -> tuple[Step, ...]:
    return (
        (RequestHeaders(end=False), []),
        (RequestBody(body, end=True), [ReplaceRequest(body)]),
    )


def exchange(**about: Any) -> Exchange:
    return Exchange(policy(**about), {})


def served(machine: Exchange) -> bool:
    return (machine.state, machine.outcome, machine.held) == (State.DONE, "served", 0)


def embedding(chain: Sequence[Mutator], **about: Any) -> Exchange:
    """Of embeddings, at a tier that changes them so."""
    chosen = policy(OpenAIEmbeddings(), kinds={"embedding": tuple(chain)}, **about)
    draw = Draw(b"k" * 32) if chosen.fidelity.keyed else None
    bound, spaced = chosen.fidelity.compared, chosen.fidelity.rotates
    return Exchange(replace(chosen, draw=draw, most_inputs=bound, spaced=spaced), {})


def embed(count: int = 2) -> bytes:
    return orjson.dumps({"model": "m", "input": ["a"] * count})


VECTORS = b'{"data":[{"index":0,"embedding":[0.6,0.8]},{"index":1,"embedding":[1.0,0.0]}]}'


def answered_by(machine: Exchange, *given: Event, asking: bytes = b"") -> list[Action]:
    script = [RequestHeaders(end=False), RequestBody(asking or embed(), end=True), *given]
    return [*chain.from_iterable(told(machine, event) for event in script)][1:]


def test_detectors_learn_buckets_of_what_the_model_said_and_of_what_was_asked() -> None:
    coarse = policy(OpenAIEmbeddings(), kinds={"embedding": (Truncate(dimensions=1),)})
    watched = Exchange(replace(coarse, watched=True), {})
    answered = ResponseBody(VECTORS.replace(b"0.6,0.8", b"3.0,4.0"), end=True)
    [*_, sent] = answered_by(watched, headers(), answered)
    assert isinstance(sent, ReplaceResponse)
    assert b"4.0" not in sent.body
    assert watched.told.noticed is not None
    assert watched.told.noticed.norms == [6, 4]
    assert (watched.told.noticed.labels, watched.told.noticed.margins) == ([], [])


def test_detectors_learn_which_fields_ask_for_more_be_it_that_they_do_not_go_on() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"x"}],"logprobs":true,"seed":7}'
    watched = Exchange(replace(policy(), watched=True), {})
    told(watched, RequestHeaders(end=False))
    told(watched, RequestBody(body, end=True))
    assert watched.told.noticed is not None
    assert watched.told.noticed.knobs == knobs.LOGPROBS | knobs.SEED
    unwatched = Exchange(policy(), {})
    told(unwatched, RequestHeaders(end=False))
    told(unwatched, RequestBody(body, end=True))
    assert unwatched.told.noticed is None


# Marks.

CLASSES = b'[{"score":0.6,"label":"cat"},{"score":0.3,"label":"dog"},{"score":0.1,"label":"cow"}]'


def marked(chain: Sequence[Mutator] = (), **about: Any) -> Exchange:
    """Of classes, at a tier that marks every answer."""
    kinds: dict[Kind, Sequence[Mutator]] = {"probabilities": (Mark(rate=1.0), *chain), "label": ()}
    marks = Marks(Cells(Draw(b"c" * 32)), Draw(b"m" * 32), 1.0)
    chosen = replace(policy(TeiPredict(), kinds=kinds), draw=Draw(b"k" * 32), marks=marks)
    return Exchange(replace(chosen, **about), {})


def test_a_mark_is_served_and_known_when_the_answer_has_left() -> None:
    machine = marked([Round(digits=1), TopK(k=2)])
    asking = b'{"inputs":"What is it?"}'
    [*_, sent] = answered_by(machine, headers(), ResponseBody(CLASSES, end=True), asking=asking)
    assert isinstance(sent, ReplaceResponse)
    assert orjson.loads(sent.body) == [
        {"score": 0.6, "label": "dog"},
        {"score": 0.3, "label": "cat"},
    ]
    assert machine.told.marking is not None
    [finding] = machine.told.marking.findings
    assert (finding.truth, finding.other, finding.stamp) == ("cat", "dog", "mark")
    assert orjson.loads(finding.input) == "What is it?"
    assert served(machine)


def test_of_a_batch_each_answer_has_a_mark_of_its_own() -> None:
    machine = marked()
    body = ResponseBody(b"[%b,%b]" % (CLASSES, CLASSES), end=True)
    answered_by(machine, headers(), body, asking=b'{"inputs":[["one of them"],["another"]]}')
    assert machine.told.marking is not None
    assert len({found.cell for found in machine.told.marking.findings}) == 2


def test_inputs_that_were_not_answered_are_forgotten() -> None:
    """Planted: what is kept for an answer that never came would count as held for ever."""
    machine = marked()
    told(machine, RequestHeaders(end=False))
    told(machine, RequestBody(b'{"inputs":"What is it?"}', end=True))
    assert machine.held == len('"What is it?"')
    told(machine, ResponseHeaders(503, {}, end=True))
    assert machine.held == 0
    assert machine.told.marking is not None
    assert machine.told.marking.findings == []


def test_without_marks_a_tier_that_marks_changes_nothing() -> None:
    """Of a tenant that is exempt, for one."""
    machine = marked(marks=None)
    asking = b'{"inputs":"What is it?"}'
    [*_, sent] = answered_by(machine, headers(), ResponseBody(CLASSES, end=True), asking=asking)
    assert isinstance(sent, ReplaceResponse)
    assert sent.body == CLASSES
    assert machine.told.marking is None


# Compared vectors.


def test_vectors_are_compared_and_none_leaves() -> None:
    machine = embedding([Similarity(digits=2)])
    [replaced] = answered_by(machine, headers(), ResponseBody(VECTORS, end=True))
    assert isinstance(replaced, ReplaceResponse)
    assert [item["embedding"] for item in orjson.loads(replaced.body)["data"]] == [
        [1.0, 0.6],
        [0.6, 1.0],
    ]
    assert served(machine)


@pytest.mark.parametrize("count", [1, 3])
def test_an_answer_with_more_or_fewer_vectors_than_inputs_is_not_served(count: int) -> None:
    machine = embedding([Similarity(digits=2)])
    actions = answered_by(machine, headers(), ResponseBody(VECTORS, end=True), asking=embed(count))
    assert actions == [respond(UPSTREAM_UNREADABLE, OpenAIEmbeddings())]
    assert machine.fault.startswith("the answer does not hold one embedding for each input")


def test_no_more_inputs_are_compared_than_can_be_at_once() -> None:
    most = Similarity.MOST
    machine = embedding([Similarity(digits=2)])
    assert not answered_by(machine, asking=embed(most))
    machine = embedding([Similarity(digits=2)])
    told(machine, RequestHeaders(end=False))
    [refused] = told(machine, RequestBody(embed(most + 1), end=True))
    assert isinstance(refused, Respond)
    assert refused.status == 400
    assert b"No more than 128 inputs can be compared in one request." in refused.body
    assert not answered_by(embedding([Quantize(bits=1)]), asking=embed(most + 1))


# The space of vectors.


def space(actions: Sequence[Action]) -> str:
    """What the header fields of a success say of it; that of the model server is removed."""
    [head, *_] = [each for each in actions if isinstance(each, SPACED)]
    assert SPACE in head.remove_headers
    return head.set_headers.get(SPACE, "")


SPACED = (ReplaceResponse, SendResponseHeaders)


def test_an_answer_with_rotated_vectors_names_their_space() -> None:
    rest = headers(x_extproc_space_id=SECRET), ResponseBody(VECTORS, end=True)
    name = space(answered_by(embedding([Rotate(), Quantize(bits=8)]), *rest))
    assert re.fullmatch("[0-9a-f]{16}", name)
    again = space(answered_by(embedding([Rotate()]), *rest))
    other = embed().replace(b'"m"', b'"n"')
    assert again == name != space(answered_by(embedding([Rotate()]), *rest, asking=other))
    assert space(answered_by(embedding([Quantize(bits=8)]), *rest)) == ""


def test_it_is_named_by_large_answers_and_by_empty_ones() -> None:
    large = VECTORS.replace(b"}]}", b"}" + b" " * 200_000 + b"]}")
    machine = embedding([Rotate()], caps=Caps(document=10))
    [head, *_] = answered_by(
        machine, headers(x_extproc_space_id=SECRET), ResponseBody(large, end=False)
    )
    assert isinstance(head, SendResponseHeaders)
    assert space([head])
    machine = embedding([Rotate()])
    assert space(answered_by(machine, headers(end=True, x_extproc_space_id=SECRET)))


def test_errors_do_not_name_it() -> None:
    unreadable = (headers(x_extproc_space_id=SECRET), ResponseBody(b"7", end=True))
    for script in ([headers(status=500, x_extproc_space_id=SECRET)], unreadable):
        [refused] = answered_by(embedding([Rotate()]), *script)
        assert isinstance(refused, Respond)
        assert SPACE not in refused.headers


# What is allowed.


def test_a_document_that_needs_no_change_passes_byte_for_byte() -> None:
    machine = exchange()
    play(
        machine,
        *asked(),
        (headers(), []),
        (ResponseBody(ANSWER, end=True), [ReplaceResponse(200, {}, (), ANSWER)]),
    )
    assert served(machine)
    assert not machine.dropped
    assert machine.query is not None
    assert (machine.query.model, machine.query.stream) == ("m", False)


def test_a_document_loses_what_the_tier_does_not_grant() -> None:
    machine = exchange()
    play(
        machine,
        *asked(),
        (headers(openai_model=SECRET, openai_processing_ms="7", vary="Origin"), []),
        (ResponseBody(LEAKY[:50], end=False), []),
        (ResponseBody(LEAKY[50:], end=False), []),
        (
            ResponseBody(b"", end=True),
            [ReplaceResponse(200, {}, ("openai-model", "openai-processing-ms"), REDUCED)],
        ),
    )
    assert served(machine)
    assert machine.dropped == {
        "model": 1,
        "system_fingerprint": 1,
        "choices[].message.reasoning": 1,
        "choices[].logprobs": 1,
        "choices[].*": 1,
    }


def test_a_request_goes_on_only_when_it_is_whole() -> None:
    play(
        exchange(),
        (RequestHeaders(end=False), []),
        *((RequestBody(ASK[at : at + 1], end=False), []) for at in range(len(ASK))),
        (RequestBody(b"", end=True), [ReplaceRequest(ASK)]),
    )


def test_a_request_goes_on_without_what_the_tier_does_not_grant() -> None:
    body = ASK[:-1] + b',"logprobs":true,"top_logprobs":20}'
    play(exchange(), *asked()[:1], (RequestBody(body, end=True), [ReplaceRequest(ASK)]))


def test_a_stream_is_rewritten_event_by_event() -> None:
    machine = exchange()
    play(
        machine,
        *asked(ASK_STREAM),
        (
            headers("text/event-stream; charset=utf-8", x_request_id=SECRET, vary="Origin"),
            [SendResponseHeaders({}, ("x-request-id",))],
        ),
        (ResponseBody(EVENT[:20], end=False), []),
        (ResponseBody(EVENT[20:], end=False), [SendResponseBody(EVENT, end=False)]),
        (ResponseBody(b": ping\n\n", end=False), [SendResponseBody(b":\n\n", end=False)]),
        (
            ResponseBody(LEAKY_EVENT + LAST, end=False),
            [SendResponseBody(EVENT + LAST, end=False)],
        ),
        (ResponseBody(b"", end=True), [SendResponseBody(b"", end=True)]),
    )
    assert served(machine)
    assert machine.dropped == {"*": 1}


def test_a_stream_may_end_with_its_last_event() -> None:
    play(
        exchange(),
        *asked(ASK_STREAM),
        (headers("text/event-stream"), [SendResponseHeaders()]),
        (ResponseBody(EVENT[:-2], end=True), [SendResponseBody(EVENT[:-2], end=True)]),
    )


def test_a_request_for_a_stream_may_be_answered_by_a_document() -> None:
    play(
        exchange(),
        *asked(ASK_STREAM),
        (headers(), []),
        (ResponseBody(LEAKY, end=True), [ReplaceResponse(200, {}, (), REDUCED)]),
    )


def test_health_is_of_no_model_and_the_readiness_of_a_model_is() -> None:
    about = policy(Status(), models=("text-*",))
    asking: Event = RequestHeaders(end=True)
    play(Exchange(about, {}), (asking, [SendRequestHeaders()]))
    play(Exchange(about, {"model": "text-1"}), (asking, [SendRequestHeaders()]))
    play(Exchange(about, {"model": "other"}), (asking, [respond(UNKNOWN_MODEL, Status())]))


@pytest.mark.parametrize("end", [False, True])
def test_a_path_of_status_alone_loses_its_body(*, end: bool) -> None:
    machine = exchange(dialect=Status(), route=("GET", "/v2/health/ready"))
    removed = ("server",)
    action: Action = ReplaceResponse(200, {}, (*removed, "content-type"), b"")
    if end:
        action = SendResponseHeaders({}, removed)
    play(
        machine,
        (RequestHeaders(end=True), [SendRequestHeaders()]),
        (headers("text/plain", server="triton", end=end), [action]),
        (ResponseBody(SECRET.encode(), end=True), []),
    )
    assert served(machine)


def test_a_request_with_trailers_loses_their_fields() -> None:
    play(
        exchange(),
        (RequestHeaders(end=False), []),
        (RequestBody(ASK, end=False), []),
        (
            RequestTrailers(("x-sum", "x-tenant")),
            [
                SendRequestHeaders(),
                SendRequestBody(ASK, end=False),
                SendRequestTrailers(("x-sum", "x-tenant")),
            ],
        ),
        (headers(), []),
        (ResponseBody(ANSWER, end=True), [ReplaceResponse(200, {}, (), ANSWER)]),
    )


def test_a_document_with_trailers_ends_with_them() -> None:
    machine = exchange()
    play(
        machine,
        *asked(),
        (headers(server="uvicorn"), []),
        (ResponseBody(LEAKY, end=False), []),
        (
            ResponseTrailers(("grpc-status", "x-compute-ms")),
            [
                SendResponseHeaders({}, ("server",)),
                SendResponseBody(REDUCED, end=False),
                SendResponseTrailers(("x-compute-ms",)),
            ],
        ),
        (ResponseBody(b"", end=True), []),
    )
    assert served(machine)


def test_a_stream_with_trailers_ends_with_them() -> None:
    machine = exchange()
    play(
        machine,
        *asked(ASK_STREAM),
        (headers("text/event-stream"), [SendResponseHeaders()]),
        (ResponseBody(EVENT + LAST[:-1], end=False), [SendResponseBody(EVENT, end=False)]),
        (
            ResponseTrailers(("x-compute-ms",)),
            [
                SendResponseBody(LAST[:-1], end=False),
                SendResponseTrailers(("x-compute-ms",)),
            ],
        ),
    )
    assert served(machine)


def test_a_stream_without_a_byte_ends_with_its_trailers() -> None:
    play(
        exchange(),
        *asked(ASK_STREAM),
        (headers("text/event-stream"), [SendResponseHeaders()]),
        (ResponseTrailers(), [SendResponseTrailers()]),
    )


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_answer_without_a_body_passes(status: int) -> None:
    machine = exchange()
    answer = headers(status=status, end=True, openai_model=SECRET)
    play(machine, *asked(), (answer, [SendResponseHeaders({}, ("openai-model",))]))
    assert served(machine)


def test_the_status_of_an_answer_is_the_model_servers() -> None:
    play(
        exchange(),
        *asked(),
        (headers(status=201), []),
        (ResponseBody(ANSWER, end=True), [ReplaceResponse(201, {}, (), ANSWER)]),
    )


def test_the_path_names_the_model_where_the_body_does_not() -> None:
    about = policy(KServeV2(), route=("POST", "/v2/models/{model}/infer"), models=("digits",))
    body = b'{"inputs":[{"name":"x","shape":[2,3],"datatype":"FP32","data":[1,2,3,4,5,6]}]}'
    machine = Exchange(about, {"model": "digits"})
    play(machine, *asked()[:1], (RequestBody(body, end=True), [ReplaceRequest(body)]))
    assert machine.query is not None
    assert (machine.query.model, machine.query.inputs) == ("digits", 2)
    other = Exchange(about, {"model": "others"})
    unknown = respond(UNKNOWN_MODEL, KServeV2())
    play(other, *asked()[:1], (RequestBody(body, end=True), [unknown]))


# What is refused before it reaches the model.


@pytest.mark.parametrize("at_once", [True, False])
def test_a_request_above_the_cap_is_refused_where_it_passes_it(*, at_once: bool) -> None:
    machine = exchange(caps=Caps(request=10))
    refused = respond(TOO_LARGE.because("The request body is larger than 10 bytes."))
    bodies: list[Step] = [(RequestBody(b"x" * 11, end=True), [refused])]
    if not at_once:
        bodies = [
            (RequestBody(b"x" * 10, end=False), []),
            (RequestBody(b"x", end=False), [refused]),
        ]
    play(machine, *asked()[:1], *bodies, (RequestBody(b"x", end=True), []))
    assert (machine.outcome, machine.held) == ("request_too_large", 0)


def test_a_route_may_take_less_than_the_cap() -> None:
    found = policy(caps=Caps(request=20))
    route = replace(found.route, contract=Contract(body=10))
    machine = Exchange(replace(found, route=route), {})
    own = TOO_LARGE.called(Cause.INPUT_TOO_LARGE)
    refused = respond(own.because("The request body is larger than 10 bytes."))
    play(machine, *asked()[:1], (RequestBody(b"x" * 11, end=True), [refused]))
    wide = replace(found, route=replace(found.route, contract=Contract(body=30)))
    refused = respond(TOO_LARGE.because("The request body is larger than 20 bytes."))
    play(Exchange(wide, {}), *asked()[:1], (RequestBody(b"x" * 21, end=True), [refused]))


def test_the_answer_is_served_as_the_exception_for_the_model_says() -> None:
    own, other = policy(), policy(kinds={"usage": ()})
    found = replace(own, exceptions=((("m",), other),))
    machine = Exchange(found, {})
    play(machine, *asked(), (headers(), []))
    body = told(machine, ResponseBody(ANSWER, end=True))
    assert isinstance(body[0], ReplaceResponse)
    assert b"Hi" not in body[0].body
    untouched = Exchange(replace(own, exceptions=((("x",), other),)), {})
    play(untouched, *asked(), (headers(), []))
    (whole,) = told(untouched, ResponseBody(ANSWER, end=True))
    assert isinstance(whole, ReplaceResponse)
    assert whole.body == ANSWER


def test_a_request_of_the_cap_is_read() -> None:
    play(exchange(caps=Caps(request=len(ASK))), *asked())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"s3cret",
        b'{"model":"","messages":[]}',
        b'{"model":"m"}',
        b'{"model":7,"messages":[]}',
        b'{"model":"m","model":"other","messages":[]}',
        b'{"model":"m","messages":[],"prompt_logits":1}',
    ],
)
@pytest.mark.parametrize("trailers", [False, True])
def test_a_request_that_is_not_of_the_api_goes_nowhere(body: bytes, *, trailers: bool) -> None:
    machine = exchange()
    last: Event = RequestTrailers() if trailers else RequestBody(b"", end=True)
    play(machine, *asked()[:1], (RequestBody(body, end=False), []))
    [action] = told(machine, last)
    assert isinstance(action, Respond)
    assert (action.status, action.details) == (400, "extproc_invalid_request")
    assert (machine.outcome, machine.held, machine.query) == ("invalid_request", 0, None)
    assert orjson.loads(action.body)["error"]["message"]
    assert machine.fault == ""  # the words go to the client, not into the record


def test_a_request_without_a_body_is_refused_where_one_is_needed() -> None:
    refused = respond(INVALID_REQUEST.because("The request body is not valid JSON."))
    play(exchange(), (RequestHeaders(end=True), [refused]))


def test_a_forbidden_model_reads_like_an_unknown_one() -> None:
    machine = exchange(models=("text-*",))
    forbidden = ASK.replace(b'"m"', b'"gpt-7"')
    play(machine, *asked()[:1], (RequestBody(forbidden, end=True), [respond(UNKNOWN_MODEL)]))
    assert (machine.outcome, machine.query) == ("model_not_found", None)
    assert "gpt-7" not in machine.fault
    # The model server's own answer about a model that does not exist.
    unknown = exchange()
    play(unknown, *asked())
    [answer] = unknown.receive(headers("text/plain", 404, retry_after="3", vary="Origin"))
    assert isinstance(answer, Respond)
    assert (answer.status, answer.headers, answer.body) == (404, FINAL, CHAT.error(UNKNOWN_MODEL))
    assert (unknown.outcome, unknown.verdict) == ("upstream_not_found", "model_not_found")


def test_a_model_without_a_name_is_none_of_the_tenants() -> None:
    """Model servers take an empty name for that of their default model."""
    machine = Exchange(policy(KServeV2(), models=("digits",)), {})
    body = b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}'
    refused = respond(UNKNOWN_MODEL, KServeV2())
    play(machine, *asked()[:1], (RequestBody(body, end=True), [refused]))
    nameless = exchange(models=("text-*",))
    play(nameless, *asked()[:1])
    [action] = nameless.receive(RequestBody(ASK.replace(b'"m"', b'""'), end=True))
    assert isinstance(action, Respond)


def test_the_name_of_an_unknown_argument_is_cut_short() -> None:
    machine = exchange()
    body = b'{"model":"m","messages":[],"%b":1}' % (b"x" * 1000)
    play(machine, *asked()[:1])
    [action] = told(machine, RequestBody(body, end=True))
    assert isinstance(action, Respond)
    assert machine.fault == ""
    assert len(action.body) < 240


# Answers that no model gave, and answers of another kind than promised.


@pytest.mark.parametrize("status", [200, 404, 413, 503, 504])
def test_a_local_reply_while_the_request_is_still_read_is_written_anew(status: int) -> None:
    machine = exchange()
    refusal = of_upstream(status)
    play(
        machine,
        (RequestHeaders(end=False), []),
        (RequestBody(ASK[:10], end=False), []),
        (headers("text/plain", status, server="envoy"), [respond(refusal)]),
        (ResponseBody(SECRET.encode(), end=True), []),
        (RequestBody(ASK[10:], end=True), []),
    )
    assert (machine.outcome, machine.held) == (refusal.outcome, 0)
    assert refusal.status >= 400


@pytest.mark.parametrize(
    "status", [100, 101, 103, 199, 300, 302, 304, 400, 401, 404, 418, 429, 500, 502, 503, 599]
)
@pytest.mark.parametrize("end", [False, True])
def test_an_error_of_the_model_server_loses_its_words(status: int, *, end: bool) -> None:
    machine = exchange()
    refusal = of_upstream(status, "3")
    answer = headers("application/json", status, end=end, location=SECRET, retry_after="3")
    play(
        machine,
        *asked(),
        (answer, [respond(refusal)]),
        (ResponseBody(b'{"error":"s3cret"}', end=True), []),
    )
    assert (machine.outcome, machine.held) == (refusal.outcome, 0)
    assert ("retry-after" in refusal.headers) == (status == 429)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (ASK, "text/event-stream"),
        (ASK, "text/s3cret"),
        (ASK, "application/json, text/html"),
        (ASK, "application/octet-stream"),
        (ASK, "application/jsonl"),
        (ASK, ""),
        (ASK_STREAM, "text/event-streams"),
        (ASK_STREAM, "application/x-ndjson"),
    ],
)
def test_an_answer_of_another_content_type_is_not_released(body: bytes, content_type: str) -> None:
    machine = exchange()
    play(
        machine,
        *asked(body),
        (headers(content_type), [respond(UPSTREAM_UNREADABLE)]),
        (ResponseBody(ANSWER, end=True), []),
    )
    assert machine.outcome == "bad_gateway"
    assert SECRET not in machine.fault


def test_an_answer_without_a_content_type_is_not_released() -> None:
    answer = ResponseHeaders(200, {":status": "200"}, end=False)
    play(exchange(), *asked(), (answer, [respond(UPSTREAM_UNREADABLE)]))


def test_a_dialect_without_streams_gets_none() -> None:
    machine = Exchange(policy(KServeV2()), {"model": "m"})
    body = b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}'
    refused = respond(UPSTREAM_UNREADABLE, KServeV2())
    play(machine, *asked(body), (headers("text/event-stream"), [refused]))


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "", "GZIP", "aws-chunked"])
@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
def test_a_compressed_answer_is_not_released(coding: str, content_type: str) -> None:
    answer = headers(content_type, content_encoding=coding)
    play(exchange(), *asked(ASK_STREAM), (answer, [respond(UPSTREAM_UNREADABLE)]))


def test_an_answer_that_says_it_is_not_compressed_passes() -> None:
    play(
        exchange(),
        *asked(),
        (headers(content_encoding=" Identity"), []),
        (ResponseBody(ANSWER, end=True), [ReplaceResponse(200, {}, ("content-encoding",), ANSWER)]),
    )


# Faults while the answer is held, and after.


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>s3cret",
        ANSWER[:-1],
        ANSWER + b"s3cret",
        b'{"error":{"message":"s3cret"}}',
        b'{"choices":[{"message":{"content":{"s3cret":1}}}]}',
    ],
)
def test_an_unreadable_document_is_a_502(body: bytes) -> None:
    machine = exchange()
    play(
        machine,
        *asked(),
        (headers(), []),
        (ResponseBody(body, end=False), []),
        (ResponseBody(b"", end=True), [respond(UPSTREAM_UNREADABLE)]),
        (ResponseBody(b"", end=True), []),
    )
    assert (machine.outcome, machine.held) == ("bad_gateway", 0)
    assert machine.fault
    assert SECRET not in machine.fault


def test_an_unreadable_document_with_trailers_is_a_502() -> None:
    machine = exchange()
    play(
        machine,
        *asked(),
        (headers(), []),
        (ResponseBody(ANSWER[:-1], end=False), []),
        (ResponseTrailers(), [respond(UPSTREAM_UNREADABLE)]),
    )
    assert machine.held == 0


def large(choices: int) -> bytes:
    said = {"role": "assistant", "content": "a" * 1000, "reasoning": SECRET}
    return orjson.dumps({"id": "c", "choices": [{"index": 0, "message": said}] * choices})


def large_reduced(choices: int) -> bytes:
    return large(choices).replace(b',"reasoning":"s3cret"', b"")


def opened(machine: Exchange, piece: bytes) -> list[bytes]:
    """What leaves with the piece that opens the answer."""
    sent = [*told(machine, ResponseBody(piece, end=False))]
    assert isinstance(sent[0], SendResponseHeaders)
    return [action.data for action in sent[1:] if isinstance(action, SendResponseBody)]


def test_a_document_above_the_cap_leaves_before_it_is_whole() -> None:
    body = large(300)
    machine = exchange(caps=Caps(document=200_000, value=10_000))
    play(machine, *asked(), (headers(server="x"), []))
    out, at = b"", 0
    while machine.state is State.HELD and at < len(body):
        sent = told(machine, ResponseBody(body[at : at + 5000], end=False))
        out = b"".join(map(body_of, sent))
        at += 5000
    assert machine.state is State.OPEN
    assert 200_000 < len(out) <= 205_000
    [rest] = told(machine, ResponseBody(body[at:], end=False))
    [last] = told(machine, ResponseBody(b"", end=True))
    assert isinstance(rest, SendResponseBody)
    assert isinstance(last, SendResponseBody)
    assert last.end
    assert out + rest.data + last.data == large_reduced(300)
    assert served(machine)


def test_a_document_of_the_cap_is_held_until_it_is_whole() -> None:
    body = large(100)
    machine = exchange(caps=Caps(document=len(body)))
    play(
        machine,
        *asked(),
        (headers(), []),
        *((ResponseBody(body[at : at + 5000], end=False), []) for at in range(0, len(body), 5000)),
        (ResponseBody(b"", end=True), [ReplaceResponse(200, {}, (), large_reduced(100))]),
    )


@pytest.mark.parametrize("broken", [b"s3cret", b'],"error":{"message":"s3cret"}}', b"}"])
@pytest.mark.parametrize("end", [False, True])
def test_an_open_document_that_breaks_is_cut_off(broken: bytes, *, end: bool) -> None:
    """A clean end would make a whole answer of it for a client that reads to the end."""
    machine = exchange(caps=Caps(document=50_000))
    play(machine, *asked(), (headers(), []))
    assert opened(machine, large(200)[:-2])
    play(
        machine,
        (ResponseBody(broken, end=end), [Abort("extproc_answer_cut")]),
        (ResponseBody(b"", end=True), []),
        (ResponseTrailers(), []),
    )
    assert (machine.outcome, machine.held) == ("cut", 0)
    assert SECRET not in machine.fault


def test_an_open_document_that_ends_too_early_is_cut_off() -> None:
    for last in (ResponseBody(b"", end=True), ResponseTrailers()):
        machine = exchange(caps=Caps(document=50_000))
        play(machine, *asked(), (headers(), []))
        assert opened(machine, large(200)[:-2])
        play(machine, (last, [Abort("extproc_answer_cut")]))


@pytest.mark.parametrize(
    "broken",
    [
        b"data: s3cret\n\n",
        b'data: {"error":{"message":"s3cret"}}\n\n',
        b'data: {"choices":"s3cret"}\n\n',
        b"data: [DONE] s3cret\n\n",
        b'data: {"id":"a"\n\n',
    ],
)
def test_a_broken_event_ends_the_stream_with_an_error_event(broken: bytes) -> None:
    machine = exchange()
    play(
        machine,
        *asked(ASK_STREAM),
        (headers("text/event-stream"), [SendResponseHeaders()]),
        (
            ResponseBody(LEAKY_EVENT + broken + EVENT + LAST, end=False),
            [SendResponseBody(EVENT + error_event(), end=True)],
        ),
        (ResponseBody(EVENT, end=True), []),
        (ResponseTrailers(), []),
    )
    assert (machine.outcome, machine.held) == ("cut", 0)
    assert SECRET not in machine.fault


def test_a_stream_that_breaks_in_its_last_event_says_so() -> None:
    for last in (ResponseBody(b'data: {"id"', end=True), ResponseTrailers()):
        machine = exchange()
        broken = b"" if isinstance(last, ResponseBody) else b'data: {"id"'
        play(
            machine,
            *asked(ASK_STREAM),
            (headers("text/event-stream"), [SendResponseHeaders()]),
            (ResponseBody(EVENT + broken, end=False), [SendResponseBody(EVENT, end=False)]),
            (last, [SendResponseBody(error_event(), end=True)]),
        )


def test_an_event_above_the_cap_ends_the_stream() -> None:
    machine = exchange(caps=Caps(value=100))
    play(
        machine,
        *asked(ASK_STREAM),
        (headers("text/event-stream"), [SendResponseHeaders()]),
        (ResponseBody(EVENT, end=False), [SendResponseBody(EVENT, end=False)]),
        (
            ResponseBody(b"data: " + b"x" * 100, end=False),
            [SendResponseBody(error_event(), end=True)],
        ),
    )
    assert machine.fault == "an event is larger than 100 bytes"


# A long request that is told apart from others, in turns.

LONG = embed(20_000)
KEYED = (Noise(norm=0.3),)


def telling_apart() -> Exchange:
    machine = embedding(KEYED)
    play(machine, (RequestHeaders(end=False), []))
    assert machine.receive(RequestBody(LONG, end=True)) == []
    return machine


def test_others_have_their_turn_before_a_long_request_goes_on() -> None:
    machine, turns = telling_apart(), 0
    while (actions := machine.receive(Work())) == []:
        assert (machine.working, machine.held) == (True, len(LONG))
        turns += 1
    assert turns > 5
    assert actions == [ReplaceRequest(LONG)]
    assert (machine.working, machine.held, machine.state) == (False, 0, State.WAITING)


def test_a_long_request_is_refused_in_the_middle_and_nothing_of_it_goes_on() -> None:
    machine = telling_apart()
    assert machine.refuse(OVERLOADED) == [respond(OVERLOADED)]
    assert (machine.working, machine.held, machine.receive(Work())) == (False, 0, [])


def test_a_long_request_that_cannot_be_told_apart_does_not_go_on() -> None:
    deep = b"[" * 70 + b"1" + b"]" * 70
    message = b'{"role":"user","content":"a"},' * 5000 + b'{"role":"user","content":' + deep + b"}"
    machine = Exchange(replace(policy(), draw=Draw(b"k" * 32)), {})
    play(machine, (RequestHeaders(end=False), []))
    body = b'{"model":"m","messages":[' + message + b"]}"
    [refusal] = told(machine, RequestBody(body, end=True))
    assert isinstance(refusal, Respond)
    assert (refusal.status, machine.outcome, machine.held) == (400, "invalid_request", 0)


# Refused from outside: the process holds too much.


@pytest.mark.parametrize("answering", [False, True])
def test_what_is_refused_while_nothing_has_left_is_answered(*, answering: bool) -> None:
    machine = exchange()
    if answering:
        play(machine, *asked(), (headers(), []), (ResponseBody(b"{", end=False), []))
    else:
        play(machine, *asked()[:1], (RequestBody(b"{", end=False), []))
    assert machine.held == 1
    assert machine.refuse(OVERLOADED) == [respond(OVERLOADED)]
    assert (machine.outcome, machine.held) == ("overloaded", 0)
    assert machine.refuse(OVERLOADED) == []


def test_a_refusal_tells_when_to_come_back() -> None:
    machine = exchange()
    play(machine, *asked()[:1])
    [action] = machine.refuse(RATE_LIMITED.after(7))
    assert isinstance(action, Respond)
    assert action.headers == {**JSON, "retry-after": "10"}


def test_what_is_refused_while_a_stream_is_open_ends_it() -> None:
    machine = exchange()
    play(
        machine,
        *asked(ASK_STREAM),
        (headers("text/event-stream"), [SendResponseHeaders()]),
        (ResponseBody(EVENT + b"data", end=False), [SendResponseBody(EVENT, end=False)]),
    )
    assert machine.refuse(OVERLOADED) == [SendResponseBody(error_event(), end=True)]
    assert machine.held == 0


def test_what_is_refused_while_a_document_is_open_is_cut_off() -> None:
    machine = exchange(caps=Caps(document=50_000))
    play(machine, *asked(), (headers(), []))
    assert opened(machine, large(200)[:-2])
    assert machine.refuse(OVERLOADED) == [Abort("extproc_answer_cut")]
    assert machine.held == 0


def test_what_is_abandoned_keeps_and_says_nothing() -> None:
    machine = exchange()
    play(machine, *asked()[:1], (RequestBody(ASK, end=False), []))
    machine.abandon("no longer looked at")
    assert (machine.held, machine.outcome, machine.fault) == (
        0,
        "unfinished",
        "no longer looked at",
    )
    play(machine, (RequestBody(b"", end=True), []), (headers(), []))


# Shaped: see test_padding.py and test_constant_rate.py for what fills it up.

KIB = Shaping(buckets=Buckets(1024))


def test_what_is_released_and_what_is_refused_has_one_length() -> None:
    machine = exchange(shaping=KIB)
    play(machine, *asked(), (headers(), []))
    [answer] = told(machine, ResponseBody(LEAKY, end=True))
    assert isinstance(answer, ReplaceResponse)
    refusals = [
        exchange(shaping=KIB).refuse(OVERLOADED),
        exchange(shaping=KIB, models=("x",)).receive(RequestHeaders(end=True)),
    ]
    bodies = [answer.body, *(body_of(action) for actions in refusals for action in actions)]
    assert [len(body) for body in bodies] == [1024] * 3
    said = orjson.loads(answer.body)
    assert said.pop("obfuscation").strip("x") == ""
    assert said == orjson.loads(REDUCED)


def test_on_a_grid_an_answer_is_the_same_kind_of_message_as_a_refusal() -> None:
    """With the header fields that pass, since nothing of the model server's own is left."""
    shaping = Shaping(grid=Grid(0.25), buckets=Buckets(1024))
    machine = exchange(shaping=shaping)
    given = headers(vary="origin", openai_model="s3cret", date="now", status=201)
    play(machine, *asked(), (given, []))
    [answer] = told(machine, ResponseBody(LEAKY, end=True))
    assert isinstance(answer, Respond)
    assert answer.headers == {"content-type": "application/json", "vary": "origin"}
    assert (answer.status, answer.details, answer.grpc_status) == (201, "extproc_served", None)
    assert len(answer.body) == 1024
    said = orjson.loads(answer.body)
    del said["obfuscation"]
    assert said == orjson.loads(REDUCED)
    [refusal] = exchange(shaping=shaping).refuse(OVERLOADED)
    assert type(refusal) is type(answer)
    assert machine.outcome == "served"


def test_a_long_document_is_filled_up_at_its_end() -> None:
    body = large(200)
    for last in (ResponseBody(b"", end=True), ResponseTrailers()):
        machine = exchange(caps=Caps(document=50_000), shaping=KIB)
        play(machine, *asked(), (headers(), []))
        out = b"".join(opened(machine, body)) + b"".join(map(body_of, told(machine, last)))
        assert len(out) % 1024 == 0
        assert out.rstrip() == large_reduced(200)


def test_every_event_has_one_of_few_lengths_and_an_error_too() -> None:
    machine = exchange(shaping=Shaping(buckets=Buckets()))
    play(machine, *asked(ASK_STREAM), (headers("text/event-stream"), [SendResponseHeaders()]))
    sent = told(machine, ResponseBody(EVENT + LAST + b": s3cret\n\n" + b"data: s3cret\n\n", False))
    [body] = map(body_of, sent)
    assert len(body) == 4 * 512
    assert body[:512].startswith(EVENT[:-3])
    assert body[512:1024].endswith(LAST)
    assert error_event()[:-3] in body
    assert SECRET.encode() not in body


@given(cuts=st.lists(st.integers(0, 500), max_size=6), document=st.booleans())
def test_what_fills_up_does_not_depend_on_how_the_answer_was_cut(
    cuts: list[int], document: bool
) -> None:
    body = LEAKY if document else LEAKY_EVENT * 3 + LAST
    ask, kind = (ASK, "application/json") if document else (ASK_STREAM, "text/event-stream")

    def sent(pieces: Sequence[bytes]) -> bytes:
        machine = exchange(shaping=KIB)
        play(machine, *asked(ask))
        told(machine, headers(kind))
        said = [told(machine, ResponseBody(piece, end=False)) for piece in pieces]
        said.append(told(machine, ResponseBody(b"", end=True)))
        return b"".join(body_of(action) for actions in said for action in actions)

    marks = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    assert sent([body[start:end] for start, end in pairwise(marks)]) == sent([body])


def test_what_fills_a_stream_up_is_known_where_it_leaves_at_a_constant_rate() -> None:
    shaping = Shaping(buckets=Buckets(), rate=Rate(0.05, 512))
    machine = exchange(shaping=shaping)
    play(
        machine,
        *asked(ASK_STREAM),
        (headers("text/event-stream"), [SendResponseHeaders()]),
        (ResponseBody(EVENT, end=False), [SendResponseBody(EVENT, end=False)]),
    )
    assert isinstance(machine.filler, EventFiller)
    document = exchange(shaping=shaping)
    play(document, *asked(), (headers(), []))
    assert document.filler is None
    [answer] = document.receive(ResponseBody(ANSWER, end=True))
    assert len(body_of(answer)) == 512


# Order.


def test_the_end_of_a_request_may_come_twice() -> None:
    """envoyproxy/envoy#46237.  The second one is not read, whatever it holds."""
    machine = exchange()
    again: Step = (RequestBody(ASK_STREAM, end=True), [])
    play(
        machine,
        *asked(),
        again,
        (headers(), []),
        again,
        (ResponseBody(ANSWER, end=True), [ReplaceResponse(200, {}, (), ANSWER)]),
        again,
    )
    assert served(machine)


EVENTS: dict[str, Event] = {
    "RequestHeaders": RequestHeaders(end=False),
    "RequestBody": RequestBody(b"", end=False),
    "RequestTrailers": RequestTrailers(),
    "ResponseHeaders": headers(),
    "ResponseBody": ResponseBody(b"", end=False),
    "ResponseTrailers": ResponseTrailers(),
}
IN_ORDER = {
    State.START: {"RequestHeaders"},
    State.REQUEST: {"RequestBody", "RequestTrailers", "ResponseHeaders"},
    State.WAITING: {"RequestBody", "ResponseHeaders"},
    State.HELD: {"RequestBody", "ResponseBody", "ResponseTrailers"},
    State.OPEN: {"RequestBody", "ResponseBody", "ResponseTrailers"},
    State.DONE: set(EVENTS),
}


def in_state(state: State) -> Exchange:
    machine = exchange()
    scripts: dict[State, list[Event]] = {
        State.START: [],
        State.REQUEST: [RequestHeaders(end=False)],
        State.WAITING: [step for step, _ in asked()],
        State.HELD: [*(step for step, _ in asked()), headers()],
        State.OPEN: [*(step for step, _ in asked(ASK_STREAM)), headers("text/event-stream")],
        State.DONE: [*(step for step, _ in asked()), headers(status=500)],
    }
    for event in scripts[state]:
        told(machine, event)
    assert machine.state is state
    return machine


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("name", EVENTS)
def test_a_message_out_of_order_breaks_the_protocol(state: State, name: str) -> None:
    machine = in_state(state)
    if name in IN_ORDER[state]:
        told(machine, EVENTS[name])
    else:
        with pytest.raises(ProtocolError, match=f"{name} in {state.name}"):
            told(machine, EVENTS[name])


# Laws, over random scripts.

GRANTED: Policy = policy(
    kinds={"usage": ()}, models=("m",), caps=Caps(request=200, document=300, value=400)
)
"""Of an answer's text nothing may pass, so that a secret in any body is one too many."""


@contextmanager
def small_documents_are_large() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewriter, "WHOLE", 250)
        yield


def played(machine: Exchange, script: Sequence[Event]) -> Iterator[Step]:
    """Each event that was in order, with its actions; the first that was not is the last."""
    for event in script:
        try:
            actions = told(machine, event)
        except ProtocolError:
            return
        if machine.state is State.DONE:
            assert machine.held == 0
        yield event, actions


@given(script=scripts)
def test_no_secret_of_an_answer_is_sent_or_recorded(script: list[Event]) -> None:
    machine = Exchange(GRANTED, {})
    with small_documents_are_large():
        actions = [action for _, actions in played(machine, script) for action in actions]
    of_the_request = ReplaceRequest | SendRequestBody
    assert SECRET not in repr([one for one in actions if not isinstance(one, of_the_request)])
    assert SECRET not in repr([machine.outcome, machine.fault, machine.dropped])


@given(script=scripts)
def test_a_request_goes_on_once_whole_and_admitted(script: list[Event]) -> None:
    machine, seen, sent = Exchange(GRANTED, {}), b"", list[bytes]()
    for event, actions in played(machine, script):
        if isinstance(event, RequestBody) and not sent:
            seen += event.data
        bodies = [action.data for action in actions if isinstance(action, SendRequestBody)]
        bodies += [action.body for action in actions if isinstance(action, ReplaceRequest)]
        if bodies:
            assert isinstance(event, RequestTrailers) or getattr(event, "end", False)
            assert machine.query is not None
        sent += bodies
    assert sent in ([], [seen])
    assert not sent or seen in {ASK, ASK_STREAM}


@given(script=scripts)
def test_an_answer_begins_once_and_ends_once(script: list[Event]) -> None:
    machine, begun, ended = Exchange(GRANTED, {}), 0, False
    with small_documents_are_large():
        for _, actions in played(machine, script):
            for action in actions:
                assert not ended
                begun += isinstance(action, SendResponseHeaders | ReplaceResponse | Respond)
                if isinstance(action, SendResponseBody | SendResponseTrailers | Abort):
                    assert begun == 1
                ended = isinstance(
                    action, ReplaceResponse | Respond | Abort | SendResponseTrailers
                ) or (isinstance(action, SendResponseBody) and action.end)
            assert not ended or machine.state is State.DONE
    assert begun <= 1


@given(script=scripts)
def test_what_is_sent_of_an_answer_was_written_by_the_rewriter(script: list[Event]) -> None:
    """Another rewriter, fed with the same bytes at once, must have written them too."""
    machine, sent, told, kind = Exchange(GRANTED, {}), b"", b"", ""
    with small_documents_are_large():
        for event, actions in played(machine, script):
            if isinstance(event, ResponseHeaders):
                kind = event.headers["content-type"]
            if isinstance(event, ResponseBody):
                told += event.data
            sent += b"".join(map(body_of, actions))
            if machine.state is State.DONE:
                break
        whole = written(kind, told)
    if machine.outcome in {"served", "cut", "unfinished"}:
        assert whole.startswith(sent.removesuffix(error_event()))
    else:
        codes = {"upstream_not_found": "model_not_found", "upstream_error": "unavailable"}
        assert orjson.loads(sent)["error"]["code"] in {machine.outcome, codes.get(machine.outcome)}


def body_of(action: Action) -> bytes:
    match action:
        case SendResponseBody(data, _) | ReplaceResponse(body=data) | Respond(body=data):
            return data
        case _:
            return b""


def written(kind: str, told: bytes) -> bytes:
    """All that may be sent of these bytes, up to the first that cannot be read."""
    run, cap = Rewrite(GRANTED.edits, "m"), GRANTED.caps.value
    machine = body_rewriter(GRANTED.answers.get(kind, Document(Fields({}))), {}, run, cap)
    out = b""
    try:
        for piece in chain(machine.feed(told), machine.finish()):
            out += piece or b""
    except UpstreamError:
        pass
    return out


# Token counts.

COUNTING = OpenAIChat(count_usage=True)
COUNTED_STREAM = ASK_STREAM[:-1] + b',"stream_options":{"include_usage":true}}'
COUNTED_EVENT = EVENT.replace(b"}]}", b'}],"usage":null}')
COUNTS = b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1}}\n\n'


def test_a_document_is_counted_whatever_of_it_passes() -> None:
    for kinds in ({"text": ()}, {"text": (), "usage": ()}):
        machine = exchange(kinds=kinds)
        assert machine.told.usage == Usage()
        for event, _ in (*asked(), (headers(), []), (ResponseBody(LEAKY, end=True), [])):
            told(machine, event)
        assert machine.told.usage == Usage(9, 1)
        assert served(machine)


def test_a_stream_is_asked_for_counts_that_its_client_does_not_see() -> None:
    machine = exchange(dialect=COUNTING)
    play(
        machine,
        (RequestHeaders(end=False), []),
        (RequestBody(ASK_STREAM, end=True), [ReplaceRequest(COUNTED_STREAM)]),
        (headers("text/event-stream"), [SendResponseHeaders({}, ())]),
        (ResponseBody(COUNTED_EVENT, end=False), [SendResponseBody(EVENT, end=False)]),
        (ResponseBody(COUNTS, end=False), []),
        (ResponseBody(LAST, end=True), [SendResponseBody(LAST, end=True)]),
    )
    assert served(machine)
    assert machine.told.usage == Usage(9, 1)
    assert machine.changed == {"stream_options.include_usage": 1}
    assert not machine.dropped


def test_counts_of_a_stream_that_is_cut_are_those_told_so_far() -> None:
    machine = exchange(dialect=COUNTING)
    for event in (RequestHeaders(end=False), RequestBody(ASK_STREAM, end=True)):
        told(machine, event)
    told(machine, headers("text/event-stream"))
    told(machine, ResponseBody(COUNTS, end=False))
    told(machine, ResponseBody(b"data: {broken\n\n", end=False))
    assert (machine.outcome, machine.told.usage) == ("cut", Usage(9, 1))


# What the record needs.


def test_an_exchange_knows_the_status_that_the_client_gets() -> None:
    machine = exchange()
    play(machine, *asked(), (headers(status=201), []))
    assert machine.status == 201
    machine.receive(ResponseBody(b"x", end=True))
    assert (machine.outcome, machine.status) == ("bad_gateway", 502)
    refused = exchange(models=("other",))
    refused.receive(RequestHeaders(end=False))
    assert refused.status == 0
    refused.receive(RequestBody(ASK, end=True))
    assert refused.status == 404
    cut = exchange()
    play(cut, *asked(ASK_STREAM))
    cut.receive(headers("text/event-stream"))
    cut.receive(ResponseBody(b"data: x\n\n", end=False))
    assert (cut.outcome, cut.status) == ("cut", 200)


def test_an_exchange_knows_the_digests_of_its_inputs_where_a_record_is_kept() -> None:
    for audited in (False, True):
        machine = Exchange(replace(policy(), audited=audited), {})
        play(machine, *asked())
        assert len(machine.digests) == audited
