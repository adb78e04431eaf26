"""What our own code costs beyond grpc: the services as they are, called without a network.

Protobuf's reading and writing are counted as ours, since grpc calls them for us.
"""

from asyncio import Runner
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import uvloop

from extproc._pb.envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from extproc._pb.envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import (
    ProcessingMode,
)
from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import (
    HttpBody,
    HttpHeaders,
    ProcessingRequest,
    ProcessingResponse,
)
from extproc.policy import PolicyTable
from extproc.server.audit_log import PAUSE
from extproc.server.authz import Authorization
from extproc.server.processor import ExternalProcessor
from extproc.server.protobuf import AUTHZ
from extproc.server.record import Records
from extproc.server.reserver import Reserver
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry
from extproc.stores.memory import MemoryCounters
from extproc.stores.memory_memos import MemoryMemos
from extproc.stores.memory_replays import MemoryReplays
from tests.bench import bodies
from tests.bench.audited import recording
from tests.bench.figures import Figure, Spread, Table
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns

CALLS: Final = 50
"""In one run of the event loop."""
_STREAMED: Final = 100
_HEADERS: Final = {
    ":authority": "models.example",
    ":method": "POST",
    ":path": bodies.CHAT,
    ":scheme": "http",
    "accept": "*/*",
    "content-type": "application/json",
    "user-agent": "extproc-bench",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "http",
    "x-request-id": "61dc1a4d-ca6f-4d1c-b1c3-9c4cbd0f2d8e",
}


class Wire:
    """Stands for grpc's context: what Envoy sends is there at once, what we send is dropped."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self._messages = iter(messages)

    async def read(self) -> Any:
        message = next(self._messages, None)
        return grpc.aio.EOF if message is None else ProcessingRequest.FromString(message)  # type: ignore[attr-defined]

    async def write(self, message: ProcessingResponse) -> None:
        message.SerializeToString()

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise AssertionError(f"{code}: {details}")


class Services:
    """Both services, over a policy table."""

    def __init__(self, table: PolicyTable, records: Records) -> None:
        telemetry = Telemetry()
        counters = MemoryCounters()
        reserver = Reserver(counters, MemoryReplays(began=0), telemetry, memos=MemoryMemos())
        self._authorization = Authorization(Tables(table), counters, telemetry, records)
        self._processor = ExternalProcessor(Tables(table), telemetry, records, reserver=reserver)

    async def check(self, message: bytes) -> bytes:
        answer = await self._authorization.check(CheckRequest.FromString(message), None)
        return answer.SerializeToString()

    async def process(self, messages: Sequence[bytes]) -> None:
        await self._processor.process(None, Wire(messages))


def own_code(table: PolicyTable) -> Table:
    with (
        unread() as records,
        recording(table, pause=PAUSE) as record,
        recording(table, pause=3600.0) as add,
        Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        figures = _figures(Services(table, records), runner, (Work(add), Work(record)))
        return Table("Our own code beyond grpc", "", figures)


@contextmanager
def unread() -> Iterator[Records]:
    """Records that are written and that nobody reads."""
    with Path("/dev/null").open("wb") as sink:
        records = Records(sink)
        try:
            yield records
        finally:
            records.close()


def _figures(services: Services, runner: Runner, audits: Sequence[Work]) -> tuple[Figure, ...]:
    def work(call: Callable[[], Awaitable[object]], calls: int = CALLS) -> Work:
        return Work(lambda: runner.run(repeat(call, calls)), per=calls)

    allowed, denied = check_request(bodies.KEY), check_request("xk-nobody")
    conversation = Conversation(CheckResponse.FromString(runner.run(services.check(allowed))))
    document = conversation.document()
    begin, stream = conversation.events(0), conversation.events(_STREAMED)
    scale, check, denial, process, begun, streamed, added, written = take_turns(
        [
            Work(empty_loop),
            work(lambda: services.check(allowed)),
            work(lambda: services.check(denied)),
            work(lambda: services.process(document)),
            work(lambda: services.process(begin), calls=1),
            work(lambda: services.process(stream), calls=1),
            *audits,
        ]
    )
    return (
        Figure(EMPTY_LOOP, "us", scale),
        Figure("Check, allowed", "us", check),
        Figure("Check, denied", "us", denial),
        Figure("Process, a JSON exchange of 1 KB", "us", process),
        Figure("an event with nothing to take out", "us", _event(begun, streamed), goal=25),
        Figure("the audit log, for an exchange", "us", added, goal=40),
        Figure("the same with its writing thread", "us", written),
    )


async def repeat(call: Callable[[], Awaitable[object]], calls: int) -> None:
    for _ in range(calls):
        await call()


def _event(begun: Spread, streamed: Spread) -> Spread:
    """What one event adds to a stream."""
    whole = (streamed.median, streamed.low, streamed.high)
    once = (begun.median, begun.low, begun.high)
    return Spread(*((many - none) / _STREAMED for many, none in zip(whole, once, strict=True)))


def check_request(key: str) -> bytes:
    message = CheckRequest()
    http = message.attributes.request.http
    http.method, http.path = "POST", bodies.CHAT
    http.headers.update({**_HEADERS, "authorization": f"Bearer {key}"})
    return message.SerializeToString()


class Conversation:
    """What Envoy sends to Process for a chat request that Check has allowed."""

    def __init__(self, allowed: CheckResponse) -> None:
        self._metadata = allowed.dynamic_metadata

    def document(self) -> list[bytes]:
        asked = HttpBody(body=bodies.ask_chat(), end_of_stream=True)
        answered = HttpBody(body=bodies.chat_answer(), end_of_stream=True)
        return [
            self._first(),
            self._sent(request_body=asked),
            self._answer("application/json"),
            self._sent(response_body=answered),
        ]

    def events(self, count: int) -> list[bytes]:
        asked = HttpBody(body=bodies.ask_chat(stream=True), end_of_stream=True)
        event = self._sent(response_body=HttpBody(body=bodies.event()))
        end = self._sent(response_body=HttpBody(end_of_stream=True))
        begin = [self._first(), self._sent(request_body=asked), self._answer("text/event-stream")]
        return [*begin, *[event] * count, end]

    def _first(self) -> bytes:
        message = ProcessingRequest(request_headers=HttpHeaders(headers=_fields(_HEADERS)))
        message.protocol_config.request_body_mode = ProcessingMode.FULL_DUPLEX_STREAMED
        message.protocol_config.response_body_mode = ProcessingMode.FULL_DUPLEX_STREAMED
        message.metadata_context.filter_metadata[AUTHZ].CopyFrom(self._metadata)
        return message.SerializeToString()

    def _answer(self, content_type: str) -> bytes:
        headers = {":status": "200", "content-type": content_type, "content-length": "1009"}
        return self._sent(response_headers=HttpHeaders(headers=_fields(headers)))

    def _sent(self, **part: Any) -> bytes:
        message = ProcessingRequest(**part)
        message.metadata_context.filter_metadata[AUTHZ].CopyFrom(self._metadata)
        return message.SerializeToString()


def _fields(headers: dict[str, str]) -> HeaderMap:
    return HeaderMap(
        headers=[HeaderValue(key=name, raw_value=value.encode()) for name, value in headers.items()]
    )
