"""Streams that wait, asked of the sidecar itself over gRPC: more than an Envoy has descriptors for.

Each is what Envoy makes of one chat stream: a check, the request, and an answer of which the first
event has come.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import grpc

from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingResponse
from tests.bench import bodies
from tests.bench.figures import BenchmarkError
from tests.bench.own import Conversation, check_request

_CHECK: Final = "/envoy.service.auth.v3.Authorization/Check"
_PROCESS: Final = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
_AT_ONCE: Final = 100


class Waiting:
    """One stream, between its first event and its end."""

    def __init__(self, call: Any, end: bytes) -> None:
        self.call = call
        self._end = end

    async def finish(self) -> None:
        await self.call.write(self._end)
        await self.call.done_writing()

    async def status(self) -> grpc.StatusCode:
        """What it ends with, whenever that is."""
        try:
            while await self.call.read() is not grpc.aio.EOF:  # type: ignore[attr-defined]
                pass
        except grpc.aio.AioRpcError as error:
            return error.code()
        code: grpc.StatusCode = await self.call.code()
        return code


@asynccontextmanager
async def waiting(path: Path, count: int) -> AsyncIterator[list[Waiting]]:
    """So many of them on the sidecar's socket, on one connection as one worker of Envoy has."""
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        begun: list[Waiting] = []
        while (missing := count - len(begun)) > 0:
            batch = [_begun(channel) for _ in range(min(_AT_ONCE, missing))]
            begun += await asyncio.gather(*batch)
        yield begun


async def _begun(channel: grpc.aio.Channel) -> Waiting:
    check: Any = channel.unary_unary(_CHECK, bytes, CheckResponse.FromString)
    allowed = await check(check_request(bodies.KEY))
    *begin, end = Conversation(allowed).events(1)
    process: Any = channel.stream_stream(_PROCESS, bytes, ProcessingResponse.FromString)
    call = process()
    for message in begin:
        await call.write(message)
    while (answer := await call.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
        if answer.HasField("response_body"):
            return Waiting(call, end)
    raise BenchmarkError(f"a stream ended before its first event: {await call.code()}")
