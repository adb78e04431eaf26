"""Whatever happens, a stream ends with status OK only after Envoy has ended its side.

Real gRPC on a Unix socket; Envoy's side is tests/server/wire.py.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from extproc._pb.envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import (
    ProcessingMode,
)
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import (
    CommonResponse,
    HeaderMutation,
    ProcessingRequest,
)
from extproc.caps import Caps
from extproc.dialects import KServeV2
from extproc.errors import ProtocolError
from extproc.events import (
    Event,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
)
from extproc.exchange import Exchange
from extproc.limits import Calendar, Concurrency, Limit, Periods, Tariff
from extproc.local_reply import LocalReply
from extproc.refusal import OVERLOADED, RATE_LIMITED
from extproc.rollout import Mode, Rollout
from extproc.server import app, processor
from extproc.server.protobuf import Handover
from tests.playbook import (
    ANSWER,
    ASK,
    ASK_STREAM,
    EVENT,
    LEAKY,
    LEAKY_EVENT,
    REDUCED,
    SECRET,
    headers,
    policy,
    table,
)
from tests.server.wire import ADMITTED, PROCESS, Envoy, Sidecar, Stream, message, running

OK = grpc.StatusCode.OK
CAPS = Caps(document=50_000, value=10_000, held=300_000)
SHADOWED = Handover("e2", "v1", "POST /v1/shadowed", "acme", "key:1")
TABLE = table(
    policy(caps=CAPS),
    policy(KServeV2(), route=("POST", "/v2/models/{model}/infer")),
    policy(route=("POST", "/v1/shadowed"), shadow=True, models=("none",)),
    caps=CAPS,
)
DENIED = Handover(
    "e3", "v1", "POST /v2/models/{model}/infer", "acme", refusal="rate_limit_exceeded"
)


@pytest.fixture
def socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Short: the name of a Unix socket has 107 bytes at most."""
    monkeypatch.chdir(tmp_path)
    return Path("s")


@pytest.fixture
async def wired(socket: Path) -> AsyncIterator[tuple[Sidecar, Envoy]]:
    async with running(socket, TABLE) as both:
        yield both


async def until(condition: Callable[[], object]) -> None:
    """Let everything else run until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no events
            await asyncio.sleep(0.001)


def told(mutation: HeaderMutation) -> dict[str, str]:
    """The header fields that are set, by name."""
    return {one.header.key: one.header.raw_value.decode() for one in mutation.set_headers}


ASKED = (RequestHeaders(end=False), RequestBody(ASK, end=True))
ASKED_STREAM = (RequestHeaders(end=False), RequestBody(ASK_STREAM, end=True))


async def test_a_document_is_rewritten_and_recorded(wired: tuple[Sidecar, Envoy]) -> None:
    sidecar, envoy = wired
    stream = await envoy.stream().send(*ASKED)
    request = (await stream.receive()).request_headers.response
    assert request.status == CommonResponse.CONTINUE_AND_REPLACE
    assert request.body_mutation.body == ASK
    await stream.send(headers(server="uvicorn"), ResponseBody(LEAKY, end=True))
    answer = (await stream.receive()).response_headers.response
    assert answer.body_mutation.body == REDUCED
    assert list(answer.header_mutation.remove_headers) == ["server"]
    assert told(answer.header_mutation)["x-request-id"] == ADMITTED.exchange
    assert await stream.end() is OK
    await until(lambda: sidecar.count("extproc_exchanges_total", outcome="served"))
    assert sidecar.count("extproc_dropped_values_total", place="choices[].logprobs") == 1
    assert sidecar.count("extproc_streams") == sidecar.processor.held.total == 0
    assert sidecar.count("extproc_own_duration_seconds_count") == 1
    [record] = sidecar.recorded()
    assert record.pop("time")
    assert record.pop("milliseconds") >= 0
    assert record.pop("dropped")["model"] == 1
    assert record == {
        "message": "exchange",
        "level": "info",
        "request_id": "e1",
        "tenant": "acme",
        "principal": "key:0123456789abcdef",
        "route": "POST /v1/chat/completions",
        "model": "m",
        "inputs": 1,
        "outcome": "served",
        "fault": "",
        "input_tokens": 9,
        "output_tokens": 1,
        "charge": {},
        "near": [],
        "step": "",
        "changed": {},
    }


PRICE = Tariff(query=0.125, output_token=0.5)
BUDGETED = table(
    replace(
        policy(
            reserved=(
                Limit(Calendar("purse/day", 700, Periods("day")), "credits", budget=True),
                Limit(Calendar("words/day", 1000, Periods("day")), "tokens", budget=True),
                Limit(Calendar("asked/day", 100, Periods("day")), "queries", budget=True),
                Limit(Concurrency("flight", 1), "concurrent"),
            )
        ),
        tariff=PRICE,
    ),
    policy(route=("POST", "/v1/shadowed"), shadow=True),
)


async def test_a_record_tells_what_it_cost_by_unit_and_what_is_nearly_used_up(
    socket: Path,
) -> None:
    async with running(socket, BUDGETED) as (sidecar, envoy):
        stream = await envoy.stream().send(*ASKED)
        await stream.receive()
        await stream.send(headers(), ResponseBody(LEAKY, end=True))
        await stream.receive()
        assert await stream.end() is OK
        await until(lambda: sidecar.count("extproc_exchanges_total", outcome="served"))
        [record] = sidecar.recorded()
    # Nine tokens were read and one was written: an eighth, and a half.
    assert record["charge"] == {"credits": 0.625, "tokens": 10, "queries": 1}
    # At first the worst case was reserved, which is no more than what is certain here.
    assert record["near"] == ["flight"]


async def test_a_request_that_cost_nothing_says_so(socket: Path) -> None:
    async with running(socket, BUDGETED) as (sidecar, envoy):
        stream = await envoy.stream().send(*ASKED)
        await stream.receive()
        await stream.send(headers(status=500), ResponseBody(b"{}", end=True))
        await stream.receive()
        await stream.end()
        await until(lambda: sidecar.count("extproc_exchanges_total", outcome="upstream_error"))
        [record] = sidecar.recorded()
    assert record["charge"] == {"credits": 0, "tokens": 0, "queries": 0}


async def test_a_stream_is_rewritten_as_it_comes(wired: tuple[Sidecar, Envoy]) -> None:
    _, envoy = wired
    stream = await envoy.stream().send(*ASKED_STREAM, headers("text/event-stream"))
    assert (await stream.receive()).HasField("request_headers")
    assert (await stream.receive()).HasField("response_headers")
    for _ in range(3):
        await stream.send(ResponseBody(LEAKY_EVENT, end=False))
        mutation = (await stream.receive()).response_body.response.body_mutation
        assert mutation.streamed_response.body == EVENT
    await stream.send(ResponseBody(b"", end=True))
    last = (await stream.receive()).response_body.response.body_mutation.streamed_response
    assert (last.body, last.end_of_stream) == (b"", True)
    assert await stream.end() is OK


async def test_trailers_are_mirrored(wired: tuple[Sidecar, Envoy]) -> None:
    _, envoy = wired
    stream = await envoy.stream().send(
        RequestHeaders(end=False), RequestBody(ASK, end=False), RequestTrailers(("x-sum",))
    )
    assert (await stream.receive()).HasField("request_headers")
    body = (await stream.receive()).request_body.response.body_mutation.streamed_response
    assert (body.body, body.end_of_stream) == (ASK, False)
    trailers = (await stream.receive()).request_trailers.header_mutation
    assert list(trailers.remove_headers) == ["x-sum"]
    await stream.send(headers(), ResponseBody(ANSWER, end=False), ResponseTrailers(("x-ms",)))
    assert (await stream.receive()).HasField("response_headers")
    assert (await stream.receive()).HasField("response_body")
    removed = (await stream.receive()).response_trailers.header_mutation.remove_headers
    assert list(removed) == ["x-ms"]
    assert await stream.end() is OK


async def test_a_refused_request_is_answered_and_the_stream_waits(
    wired: tuple[Sidecar, Envoy],
) -> None:
    """Envoy ends the stream, and only Envoy: after our answer there may be more to come."""
    sidecar, envoy = wired
    stream = await envoy.stream().send(RequestHeaders(end=False), RequestBody(b"s3cret", end=True))
    answer = (await stream.receive()).immediate_response
    assert (answer.status.code, answer.details) == (400, "extproc_invalid_request")
    await stream.send(RequestBody(b"s3cret", end=True), headers(), ResponseBody(b"x", end=True))
    assert sidecar.count("extproc_streams") == 1
    assert await stream.end() is OK
    await until(lambda: not sidecar.count("extproc_streams"))
    [record] = sidecar.recorded()
    assert record["outcome"] == "invalid_request"
    assert SECRET not in str(record)


async def test_a_denial_of_ext_authz_is_written_anew_and_not_recorded_twice(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    stream = await envoy.stream(DENIED).send(headers("text/plain", 429, server="envoy"))
    answer = (await stream.receive()).immediate_response
    assert (answer.status.code, answer.details) == (429, "extproc_rate_limit_exceeded")
    assert answer.body == KServeV2().error(RATE_LIMITED)
    assert told(answer.headers) == {
        "content-type": "application/json",
        "retry-after": "1",
        "x-request-id": "e3",
    }
    await stream.send(ResponseBody(b"s3cret", end=True))
    assert await stream.end() is OK
    await until(lambda: sidecar.count("extproc_exchanges_total", outcome="rate_limit_exceeded"))
    assert sidecar.recorded() == []


async def test_an_error_of_envoys_own_needs_no_metadata(wired: tuple[Sidecar, Envoy]) -> None:
    _, envoy = wired
    stream = await envoy.stream(None).send(headers("text/plain", 404))
    answer = (await stream.receive()).immediate_response
    assert b'"not_found"' in answer.body
    assert len(bytes.fromhex(told(answer.headers)["x-request-id"])) == 8
    assert await stream.end() is OK


async def test_a_policy_on_trial_changes_nothing(wired: tuple[Sidecar, Envoy]) -> None:
    sidecar, envoy = wired
    stream = await envoy.stream(SHADOWED).send(*ASKED, headers(), ResponseBody(LEAKY, end=True))
    sent = [await stream.receive() for _ in range(4)]
    assert [found.WhichOneof("response") for found in sent] == [
        "request_headers",
        "request_body",
        "response_headers",
        "response_body",
    ]
    assert sent[1].request_body.response.body_mutation.streamed_response.body == ASK
    assert sent[3].response_body.response.body_mutation.streamed_response.body == LEAKY
    assert await stream.end() is OK
    await until(lambda: not sidecar.count("extproc_streams"))
    [record] = sidecar.recorded()
    assert record["outcome"] == "shadow:model_not_found"


# Every other end is an error.


async def test_an_envoy_that_ends_before_it_begins_is_an_error(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    assert await envoy.stream().end() is grpc.StatusCode.FAILED_PRECONDITION
    assert sidecar.recorded() == []


@pytest.mark.parametrize(
    "handover",
    [
        None,
        replace(ADMITTED, config="v0"),
        replace(ADMITTED, config=""),
        replace(ADMITTED, tenant="beta"),
        replace(ADMITTED, tenant=""),
        replace(ADMITTED, route="GET /v1/chat/completions"),
        replace(ADMITTED, refusal="invalid_api_key"),
        Handover("", ""),
    ],
)
async def test_a_request_that_ext_authz_did_not_admit_is_cut_off(
    wired: tuple[Sidecar, Envoy], handover: Handover | None
) -> None:
    sidecar, envoy = wired
    stream = await envoy.stream(handover).send(RequestHeaders(end=False))
    assert await stream.status() is grpc.StatusCode.FAILED_PRECONDITION
    await until(lambda: not sidecar.count("extproc_streams"))


@pytest.mark.parametrize("first", [RequestHeaders(end=False), headers(status=404)])
@pytest.mark.parametrize("field", ["request_body_mode", "response_body_mode", "observability"])
async def test_an_envoy_that_is_set_up_otherwise_is_cut_off(
    wired: tuple[Sidecar, Envoy], first: Event, field: str
) -> None:
    _, envoy = wired
    sent = message(first)
    if field == "observability":
        sent.observability_mode = True
    else:
        setattr(sent.protocol_config, field, ProcessingMode.STREAMED)
    stream = envoy.stream()
    await stream.write(sent)
    assert await stream.status() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_message_of_no_known_type_cuts_the_stream_off(
    wired: tuple[Sidecar, Envoy],
) -> None:
    _, envoy = wired
    stream = await envoy.stream().send(RequestHeaders(end=False))
    await stream.write(ProcessingRequest())
    assert await stream.status() is grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(
    "event", [RequestHeaders(end=False), ResponseBody(b"", end=True), ResponseTrailers()]
)
async def test_a_message_out_of_order_cuts_the_stream_off(
    wired: tuple[Sidecar, Envoy], event: Event
) -> None:
    sidecar, envoy = wired
    stream = await envoy.stream().send(RequestHeaders(end=False), RequestBody(b"{", end=False))
    await stream.send(event)
    assert await stream.status() is grpc.StatusCode.FAILED_PRECONDITION
    await until(lambda: not sidecar.processor.held.total)
    [record] = sidecar.recorded()
    assert record["outcome"] == "unfinished"


async def test_an_answer_of_no_model_that_is_no_error_cuts_the_stream_off(
    wired: tuple[Sidecar, Envoy],
) -> None:
    """As where the request's headers were not sent to us: nobody has looked at its body."""
    _, envoy = wired
    for handover in (None, ADMITTED, DENIED):
        stream = await envoy.stream(handover).send(headers())
        assert await stream.status() is grpc.StatusCode.FAILED_PRECONDITION


async def test_an_open_document_that_breaks_cuts_the_stream_off(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    item = b'{"index":0,"message":{"content":"' + b"a" * 1000 + b'"}},'
    stream = await envoy.stream().send(*ASKED, headers())
    await stream.send(ResponseBody(b'{"choices":[' + item * 200, end=False))
    assert (await stream.receive()).HasField("request_headers")
    assert (await stream.receive()).HasField("response_headers")
    assert (await stream.receive()).HasField("response_body")
    await stream.send(ResponseBody(b"s3cret", end=True))
    assert await stream.drained() is grpc.StatusCode.FAILED_PRECONDITION
    await until(lambda: not sidecar.processor.held.total)
    [record] = sidecar.recorded()
    assert record["outcome"] == "cut"


FAULTS = [
    RuntimeError(SECRET),
    KeyError(SECRET),
    UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET),
    MemoryError(SECRET),
    RecursionError(SECRET),
    StopAsyncIteration(SECRET),
    TimeoutError(SECRET),
    OSError(SECRET),
    AssertionError(SECRET),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("at", range(4))
async def test_an_unexpected_error_anywhere_cuts_the_stream_off(
    wired: tuple[Sidecar, Envoy], fault: Exception, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sidecar, envoy = wired
    calls, real = iter(range(10)), Exchange.receive

    def receive(machine: Exchange, event: Event) -> Any:
        if next(calls) == at:
            raise fault
        return real(machine, event)

    monkeypatch.setattr(Exchange, "receive", receive)
    script: list[Event] = [*ASKED, headers(), ResponseBody(ANSWER, end=False)]
    stream = await envoy.stream().send(*script[: at + 1])
    assert await stream.drained() is grpc.StatusCode.INTERNAL
    assert await stream.call.details() == "extproc_internal_error"
    await until(lambda: not sidecar.processor.held.total)
    *_, record = sidecar.recorded()
    assert record["message"] == "internal error"
    assert record["error"] == type(fault).__name__
    assert record["at"].startswith("test_processor.py:")
    assert SECRET not in sidecar.log.getvalue().decode()


async def test_a_cancelling_that_is_not_grpcs_own_cuts_the_stream_off(
    wired: tuple[Sidecar, Envoy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """grpcio itself would leave the stream open for ever."""
    sidecar, envoy = wired

    def cancelled(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(Exchange, "receive", cancelled)
    stream = await envoy.stream().send(RequestHeaders(end=False))
    assert await stream.status() is grpc.StatusCode.INTERNAL
    await until(lambda: not sidecar.count("extproc_streams"))


@pytest.mark.parametrize("part", ["_machine", "_record", "_policy"])
async def test_an_unexpected_error_beside_the_exchange_cuts_the_stream_off(
    wired: tuple[Sidecar, Envoy], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sidecar, envoy = wired

    def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(sidecar.processor if part == "_record" else processor, part, fail)
    stream = await envoy.stream().send(RequestHeaders(end=False))
    if part == "_record":  # it comes at the very end, when Envoy has ended its side
        assert await stream.end() is grpc.StatusCode.INTERNAL
    else:
        assert await stream.status() is grpc.StatusCode.INTERNAL


async def test_a_driver_that_returns_too_early_is_the_bug_this_is_about(
    wired: tuple[Sidecar, Envoy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can see a clean end: here is one, planted."""
    _, envoy = wired

    async def leave(*_: object) -> None:
        return

    monkeypatch.setattr(processor, "drive", leave)
    stream = await envoy.stream().send(RequestHeaders(end=False))
    assert await stream.status() is OK


async def test_an_error_while_a_local_reply_is_written_cuts_the_stream_off(
    wired: tuple[Sidecar, Envoy], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ProtocolError("not now")

    monkeypatch.setattr(LocalReply, "receive", fail)
    stream = await wired[1].stream().send(headers(status=404))
    assert await stream.status() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_sidecar_that_stops_cuts_its_streams_off(wired: tuple[Sidecar, Envoy]) -> None:
    sidecar, envoy = wired
    stream = await envoy.stream().send(RequestHeaders(end=False), RequestBody(b"{", end=False))
    await until(lambda: sidecar.processor.held.total == 1)
    await sidecar.server.stop(grace=0)
    assert await stream.status() is grpc.StatusCode.UNAVAILABLE
    await until(lambda: not sidecar.count("extproc_streams"))
    assert sidecar.processor.held.total == 0
    [record] = sidecar.recorded()
    assert record["outcome"] == "unfinished"


async def test_a_message_that_grpc_does_not_take_cuts_the_stream_off(
    socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read fails like one at the end of the stream; the status must tell them apart."""
    monkeypatch.setattr(app, "_OPTIONS", [("grpc.max_receive_message_length", 1000)])
    async with running(socket, TABLE) as (sidecar, envoy):
        stream = await envoy.stream().send(RequestHeaders(end=False))
        await stream.send(RequestBody(b"x" * 2000, end=False))
        assert await stream.status() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await until(lambda: not sidecar.count("extproc_streams"))


@pytest.mark.parametrize("event", [*ASKED[:1], headers(status=404)])
async def test_bytes_that_are_no_message_cut_the_stream_off(
    socket: Path, event: Event, wired: tuple[Sidecar, Envoy]
) -> None:
    async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        call = channel.stream_stream(PROCESS, bytes, bytes)(timeout=10)  # type: ignore[call-arg]
        await call.write(message(event).SerializeToString())
        await call.write(b"\xff\xff\xff")
        assert await Stream(call, None).drained() is not OK


# What is held, over all streams.


async def test_what_a_client_leaves_behind_is_given_back(wired: tuple[Sidecar, Envoy]) -> None:
    sidecar, envoy = wired
    stream = await envoy.stream().send(RequestHeaders(end=False), RequestBody(b"x" * 9, end=False))
    await until(lambda: sidecar.processor.held.total == 9)
    stream.call.cancel()
    await until(lambda: not sidecar.processor.held.total)
    await until(lambda: not sidecar.count("extproc_streams"))


@pytest.mark.parametrize(
    "events",
    [
        (RequestHeaders(end=False), RequestBody(b"x" * 9, end=False)),
        ASKED,
        (*ASKED, headers(), ResponseBody(ANSWER, end=False)),
        (*ASKED_STREAM, headers("text/event-stream"), ResponseBody(EVENT, end=False)),
    ],
)
async def test_an_end_in_the_middle_of_an_exchange_is_never_a_clean_one(
    events: tuple[Event, ...], wired: tuple[Sidecar, Envoy]
) -> None:
    sidecar, envoy = wired
    stream = await envoy.stream().send(*events)
    await stream.call.done_writing()
    assert await stream.drained() is grpc.StatusCode.FAILED_PRECONDITION
    await until(lambda: not sidecar.count("extproc_streams"))
    assert sidecar.processor.held.total == 0


async def test_a_process_that_holds_too_much_refuses_what_grows(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    first = await envoy.stream().send(RequestHeaders(end=False))
    await first.send(RequestBody(b"x" * 180_000, end=False))
    await until(lambda: sidecar.processor.held.total == 180_000)
    second = await envoy.stream().send(RequestHeaders(end=False))
    await second.send(RequestBody(b"x" * 180_000, end=False))
    answer = (await second.receive()).immediate_response
    assert (answer.status.code, answer.details) == (503, "extproc_overloaded")
    assert sidecar.processor.held.total == 180_000
    assert await second.end() is OK
    assert await first.end() is grpc.StatusCode.FAILED_PRECONDITION
    assert sidecar.processor.held.total == 0
    outcomes = [record["outcome"] for record in sidecar.recorded()]
    assert outcomes == ["overloaded", "unfinished"]


async def test_a_process_that_holds_too_much_ends_an_open_stream_with_an_error_event(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    holder = await envoy.stream().send(RequestHeaders(end=False))
    await holder.send(RequestBody(b"x" * 295_000, end=False))
    await until(lambda: sidecar.processor.held.total == 295_000)
    stream = await envoy.stream().send(*ASKED_STREAM, headers("text/event-stream"))
    await stream.receive()
    await stream.receive()
    await stream.send(ResponseBody(EVENT + b"data: " + b"x" * 9000, end=False))
    events = (await stream.receive()).response_body.response.body_mutation.streamed_response
    assert events.body == EVENT
    last = (await stream.receive()).response_body.response.body_mutation.streamed_response
    assert last.end_of_stream
    assert b'"error"' in last.body
    assert await stream.end() is OK
    assert OVERLOADED.message.encode() not in last.body  # what is open is cut, not refused


async def test_in_the_shadow_what_is_held_is_bounded_and_nothing_is_refused(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    stream = await envoy.stream(SHADOWED).send(RequestHeaders(end=False))
    await stream.send(RequestBody(b"x" * 450_000, end=False))
    assert (await stream.receive()).HasField("request_headers")
    sent = (await stream.receive()).request_body.response.body_mutation.streamed_response
    assert len(sent.body) == 450_000
    assert sidecar.processor.held.total == 0
    assert await stream.end() is OK
    [record] = sidecar.recorded()
    assert record["outcome"] == "shadow:overloaded"


@pytest.mark.parametrize("passed", ["off", "key_unknown"])
async def test_what_is_in_force_lets_nothing_pass_untouched_whatever_it_is_told(
    wired: tuple[Sidecar, Envoy], passed: str
) -> None:
    """The policy has the last word, not what ext_authz hands over."""
    _, envoy = wired
    stream = await envoy.stream(replace(ADMITTED, passed=passed)).send(*ASKED)
    await stream.receive()
    await stream.send(headers(), ResponseBody(LEAKY, end=True))
    answer = (await stream.receive()).response_headers.response
    assert answer.body_mutation.body == REDUCED
    nobodys = Handover("e9", "v1", passed=passed)
    unknown = await envoy.stream(nobodys).send(RequestHeaders(end=True))
    assert await unknown.end() is not OK
    replied = await envoy.stream(nobodys).send(headers(status=404))
    assert (await replied.receive()).HasField("immediate_response")


async def test_on_trial_what_would_have_been_denied_passes_and_is_no_exchange_of_anybodys(
    socket: Path,
) -> None:
    tried = replace(TABLE, rollout=Rollout("shadow"))
    async with running(socket, tried) as (sidecar, envoy):
        stream = await envoy.stream(Handover("e9", "v1", passed="key_unknown")).send(*ASKED)
        await stream.send(headers(server="uvicorn"), ResponseBody(LEAKY, end=True))
        sent = [await stream.receive() for _ in range(4)]
        assert sent[1].request_body.response.body_mutation.streamed_response.body == ASK
        assert not sent[2].response_headers.response.HasField("header_mutation")
        assert sent[3].response_body.response.body_mutation.streamed_response.body == LEAKY
        assert await stream.end() is OK
        await until(lambda: sidecar.count("extproc_exchanges_total", outcome="shadow:key_unknown"))
        assert sidecar.recorded() == []


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
async def test_a_body_that_is_not_the_one_that_was_signed_passes_where_the_file_is_on_trial(
    socket: Path, mode: Mode
) -> None:
    shadowed = replace(SHADOWED, digest="sha-256=:" + "A" * 43 + "=:")
    async with running(socket, replace(TABLE, rollout=Rollout(mode))) as (sidecar, envoy):
        stream = await envoy.stream(shadowed).send(*ASKED)
        await stream.receive()
        if mode == "enforce":  # then the policy alone is on trial
            assert await stream.end() is not OK
            return
        end = (await stream.receive()).request_body.response.body_mutation.streamed_response
        assert (end.body, end.end_of_stream) == (ASK, True)
        assert await stream.end() is OK
        outcome = "shadow:body_not_as_signed"
        await until(lambda: sidecar.count("extproc_exchanges_total", outcome=outcome))


@pytest.mark.parametrize("of", [None, SHADOWED], ids=["unasked", "admitted"])
async def test_on_trial_an_answer_of_envoys_own_passes_as_it_is(
    socket: Path, of: Handover | None
) -> None:
    """Of a filter between ext_authz and ext_proc, to a request that had been admitted, too."""
    async with running(socket, replace(TABLE, rollout=Rollout("shadow"))) as (sidecar, envoy):
        stream = await envoy.stream(of).send(headers("text/plain", 429))
        assert not (await stream.receive()).response_headers.response.HasField("header_mutation")
        await stream.send(ResponseBody(b"local_rate_limited", end=True))
        sent = (await stream.receive()).response_body.response.body_mutation.streamed_response
        assert sent.body == b"local_rate_limited"
        assert await stream.end() is OK
        outcome = "shadow:unfinished"
        await until(lambda: sidecar.count("extproc_exchanges_total", outcome=outcome))
        denied = await envoy.stream(DENIED).send(headers("text/plain", 429))
        assert (await denied.receive()).HasField("immediate_response"), "not on trial"


async def test_without_ext_authz_nothing_passes_on_trial_either(socket: Path) -> None:
    tried = replace(TABLE, rollout=Rollout("off"))
    async with running(socket, tried) as (_, envoy):
        stream = await envoy.stream(None).send(RequestHeaders(end=True))
        assert await stream.end() is not OK
        replied = await envoy.stream(None).send(headers(status=404))
        assert (await replied.receive()).HasField("response_headers")


def test_the_status_of_a_local_reply_is_that_of_the_headers() -> None:
    """The playbook's headers and those on the wire are the same event."""
    sent = message(headers(status=404)).response_headers.headers
    assert isinstance(headers(), ResponseHeaders)
    assert sent.headers[0].raw_value == b"404"
