"""The sidecar's services on a Unix socket, and Envoy's side of them, over real gRPC."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import grpc
import orjson

from extproc._pb.envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from extproc._pb.envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import (
    ProcessingMode,
)
from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import (
    HttpBody,
    HttpHeaders,
    HttpTrailers,
    ProcessingRequest,
    ProcessingResponse,
)
from extproc.events import (
    CheckedRequest,
    Event,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
)
from extproc.limits import Counters, microseconds
from extproc.policy import PolicyTable
from extproc.server import app
from extproc.server.alarms import Alarms
from extproc.server.audited import Auditor
from extproc.server.authz import Authorization
from extproc.server.detection.watcher import Watcher
from extproc.server.processor import ExternalProcessor
from extproc.server.protobuf import AUTHZ, Handover, allowed, handover
from extproc.server.record import Records
from extproc.server.reserver import Reserver
from extproc.server.suspects import Suspects
from extproc.server.tables import Ask, Tables, nobody
from extproc.server.telemetry import Telemetry
from extproc.server.traces import Traces
from extproc.server.vault import Vault
from extproc.stores.memory import MemoryCounters
from extproc.stores.memory_memos import MemoryMemos
from extproc.stores.memory_replays import MemoryReplays

PROCESS = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
CHECK = "/envoy.service.auth.v3.Authorization/Check"
FULL = ProcessingMode.FULL_DUPLEX_STREAMED

ADMITTED = Handover(
    "e1", "v1", "POST /v1/chat/completions", "acme", "key:0123456789abcdef0123456789abcdef"
)


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until it holds; fails after ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for has no events
            await asyncio.sleep(0)


class Clock:
    """Moves when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Sidecar:
    def __init__(
        self,
        table: PolicyTable,
        counters: Counters | None = None,
        alarms: Alarms | None = None,
        ask: Ask = nobody,
        auditor: Auditor | None = None,
        suspects: Suspects | None = None,
        watcher: Watcher | None = None,
        traces: Traces | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.log = io.BytesIO()
        self.wall = Clock()
        self.wall.now = 1_800_000_000.0
        own = (
            counters
            if counters is not None
            else MemoryCounters(clock=lambda: microseconds(self.wall.now))
        )
        self.telemetry = Telemetry()
        self.records = Records(self.log)
        self.tables = Tables(table, ask)
        self.processor = ExternalProcessor(
            self.tables,
            self.telemetry,
            self.records,
            alarms,
            self.wall,
            reserver=Reserver(
                own, MemoryReplays(began=0), self.telemetry, self.wall, memos=MemoryMemos()
            ),
            auditor=auditor,
            suspects=suspects,
            watcher=watcher,
            vault=vault,
            traces=traces,
        )
        self.authorization = Authorization(
            self.tables,
            own,
            self.telemetry,
            self.records,
            self.wall,
            auditor=auditor,
            suspects=suspects,
            watcher=watcher,
            traces=traces,
        )
        self.server = grpc.aio.server(options=app._OPTIONS)
        self.server.add_generic_rpc_handlers(
            (
                app._unary(*_name(CHECK), self.authorization.check),
                app._duplex(*_name(PROCESS), self.processor.process),
            )
        )

    def recorded(self) -> list[dict[str, Any]]:
        """Every record so far; call it once, last."""
        self.records.close()
        return [orjson.loads(line) for line in self.log.getvalue().splitlines()]

    def count(self, metric: str, **labels: str) -> float:
        return self.telemetry.registry.get_sample_value(metric, labels) or 0.0


def _name(method: str) -> tuple[str, str]:
    _, service, name = method.split("/")
    return service, name


@asynccontextmanager
async def running(
    path: Path,
    table: PolicyTable,
    counters: Counters | None = None,
    alarms: Alarms | None = None,
    ask: Ask = nobody,
    auditor: Auditor | None = None,
    suspects: Suspects | None = None,
    watcher: Watcher | None = None,
    traces: Traces | None = None,
    vault: Vault | None = None,
) -> AsyncIterator[tuple[Sidecar, "Envoy"]]:
    """A sidecar on this socket, and an Envoy that talks to it."""
    sidecar = Sidecar(table, counters, alarms, ask, auditor, suspects, watcher, traces, vault)
    sidecar.server.add_insecure_port(f"unix:{path}")
    await sidecar.server.start()
    try:
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            yield sidecar, Envoy(channel)
    finally:  # a test that fails must not hang
        await sidecar.server.stop(grace=0)
        sidecar.records.close()


class Envoy:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._check = channel.unary_unary(
            CHECK, CheckRequest.SerializeToString, CheckResponse.FromString
        )
        self._process = channel.stream_stream(
            PROCESS, ProcessingRequest.SerializeToString, ProcessingResponse.FromString
        )

    async def check(self, request: CheckedRequest) -> CheckResponse:
        message = CheckRequest()
        http = message.attributes.request.http
        http.method, http.path = request.method, request.path
        http.headers.update(request.headers)
        message.attributes.source.address.socket_address.address = request.peer.address
        if request.policy:
            message.attributes.context_extensions["policy"] = request.policy
        response: CheckResponse = await self._check(message, timeout=10)
        return response

    def stream(self, handover: Handover | None = ADMITTED) -> "Stream":
        return Stream(self._process(timeout=10), handover)  # type: ignore[call-arg]


def over(checked: CheckResponse) -> Handover:
    """What ext_proc is handed of ext_authz's reply."""
    sent = ProcessingRequest()
    sent.metadata_context.filter_metadata[AUTHZ].CopyFrom(checked.dynamic_metadata)
    found = handover(sent)
    assert found is not None
    return found


class Stream:
    """One exchange."""

    def __init__(self, call: Any, handover: Handover | None) -> None:
        self.call = call
        self._handover = handover

    async def send(self, *events: Event) -> Self:
        for event in events:
            await self.write(message(event, self._handover))
        return self

    async def write(self, sent: ProcessingRequest) -> None:
        await self.call.write(sent)

    async def receive(self) -> ProcessingResponse:
        found = await self.call.read()
        assert isinstance(found, ProcessingResponse), f"the stream ended: {await self.status()}"
        return found

    async def end(self) -> grpc.StatusCode:
        """Half-close, as Envoy does when it needs no more; the status that then comes."""
        await self.call.done_writing()
        return await self.status()

    async def status(self) -> grpc.StatusCode:
        """What the sidecar ends the stream with; it must send nothing more before."""
        return await self._ended(more=False)

    async def drained(self) -> grpc.StatusCode:
        """What the sidecar ends the stream with, after whatever it has sent before."""
        return await self._ended(more=True)

    async def _ended(self, *, more: bool) -> grpc.StatusCode:
        try:
            while (found := await self.call.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
                assert more, found
        except grpc.aio.AioRpcError as error:
            return error.code()
        code: grpc.StatusCode = await self.call.code()
        return code


def message(event: Event, handover: Handover | None = ADMITTED) -> ProcessingRequest:
    """An event as Envoy sends it, with its configuration and ext_authz's metadata."""
    sent = _message(event)
    sent.protocol_config.request_body_mode = FULL
    sent.protocol_config.response_body_mode = FULL
    if handover is not None:
        told = sent.metadata_context.filter_metadata[AUTHZ]
        told.CopyFrom(allowed(handover, ()).dynamic_metadata)
    return sent


def _message(event: Event) -> ProcessingRequest:
    match event:
        case RequestHeaders(end):
            return ProcessingRequest(request_headers=HttpHeaders(end_of_stream=end))
        case RequestBody(data, end):
            return ProcessingRequest(request_body=HttpBody(body=data, end_of_stream=end))
        case RequestTrailers(names):
            return ProcessingRequest(request_trailers=HttpTrailers(trailers=_none(names)))
        case ResponseHeaders(_, headers, end):
            sent = HttpHeaders(headers=_fields(headers), end_of_stream=end)
            return ProcessingRequest(response_headers=sent)
        case ResponseBody(data, end):
            return ProcessingRequest(response_body=HttpBody(body=data, end_of_stream=end))
        case ResponseTrailers(names):
            return ProcessingRequest(response_trailers=HttpTrailers(trailers=_none(names)))


def _none(names: tuple[str, ...]) -> HeaderMap:
    return _fields(dict.fromkeys(names, "1"))


def _fields(headers: Mapping[str, str]) -> HeaderMap:
    return HeaderMap(
        headers=[
            HeaderValue(key=name, raw_value=value.encode("latin-1"))
            for name, value in headers.items()
        ]
    )
