"""The sidecar's conversation with Envoy without any of its work; started with its socket's path.

The same gRPC server with the same options, the same number of messages of the same kinds and
sizes, and nothing decided, read or recorded: what is measured here no code of ours could save.
"""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import uvloop

from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc.events import (
    Action,
    ReplaceRequest,
    ReplaceResponse,
    RequestBody,
    RequestHeaders,
    ResponseBody,
    ResponseHeaders,
    SendResponseBody,
    SendResponseHeaders,
)
from extproc.server import app, authz, protobuf
from extproc.server.protobuf import Handover

_ALLOWED = protobuf.allowed(Handover("0" * 16, "0" * 16), authz.REMOVED)


async def check(_request: CheckRequest, _context: Any) -> CheckResponse:
    return _ALLOWED


async def process(_requests: Any, context: Any) -> None:
    """Let everything through: documents in one message each way, events one by one."""
    kept, streaming = b"", False
    while (message := await context.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
        answer: Action | None = None
        match protobuf.event(message):
            case RequestHeaders():
                kept = b""
            case RequestBody(data, end):
                kept += data
                answer = ReplaceRequest(kept) if end else None
            case ResponseHeaders(_, headers):
                kept = b""
                streaming = headers["content-type"] == "text/event-stream"
                answer = SendResponseHeaders({}, ()) if streaming else None
            case ResponseBody(data, end) if streaming:
                answer = SendResponseBody(data, end=end)
            case ResponseBody(data, end):
                kept += data
                answer = ReplaceResponse(200, {}, (), kept) if end else None
            case other:
                raise AssertionError(other)
        if answer is not None:
            await context.write(protobuf.reply(answer))


async def serve(path: str) -> None:
    server = grpc.aio.server(options=app._OPTIONS)
    handlers: list[tuple[Callable[..., Any], str, Callable[..., Awaitable[Any]]]] = [
        (app._unary, "envoy.service.auth.v3.Authorization/Check", check),
        (app._duplex, "envoy.service.ext_proc.v3.ExternalProcessor/Process", process),
    ]
    for kind, method, handler in handlers:
        server.add_generic_rpc_handlers((kind(*method.split("/"), handler),))
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    gc.collect()
    gc.freeze()
    await server.wait_for_termination()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1]))
