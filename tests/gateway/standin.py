"""A sidecar that lets everything through: what then does not pass, Envoy itself has stopped.

Run as ``python -m tests.gateway.standin ADDRESS``.  A request says in header fields what it wants:

    x-exchange: ID  ext_authz gives it this name
    x-deny: 1       ext_authz denies it
    x-authz: fail   ext_authz fails
    x-proc: fail    ext_proc fails when the answer arrives
    x-proc: own503  ext_proc answers itself
    x-proc: hold    ext_proc holds the answer, and never lets it go
"""

import asyncio
import signal
import sys
from typing import Any

import grpc

from extproc._pb.envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import (
    ProcessingRequest,
    ProcessingResponse,
)
from extproc._pb.envoy.type.v3.http_status_pb2 import ServiceUnavailable, Unauthorized


async def check(request: CheckRequest, context: Any) -> CheckResponse:
    headers = request.attributes.request.http.headers
    if headers.get("x-authz") == "fail":
        await context.abort(grpc.StatusCode.INTERNAL, "told to")
    response = CheckResponse()
    response.dynamic_metadata["exchange"] = headers.get("x-exchange", "")
    if "x-deny" in headers:
        response.status.code = 7
        response.denied_response.status.code = Unauthorized
        response.denied_response.body = "denied by the sidecar"
    return response


async def process(_: Any, context: Any) -> None:
    wish = ""
    while (message := await context.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
        kind = message.WhichOneof("request")
        if kind == "request_headers":
            wish = _wish(message)
        if kind == "response_headers" and wish == "fail":
            await context.abort(grpc.StatusCode.INTERNAL, "told to")
        if wish == "hold" and kind.startswith("response"):
            continue
        await context.write(own503() if wish == "own503" else echo(message, kind))


def _wish(message: ProcessingRequest) -> str:
    headers = message.request_headers.headers.headers
    return next((h.raw_value.decode() for h in headers if h.key == "x-proc"), "")


def own503() -> ProcessingResponse:
    response = ProcessingResponse()
    response.immediate_response.status.code = ServiceUnavailable
    response.immediate_response.body = b"the sidecar's own words"
    response.immediate_response.details = "extproc_overloaded"
    return response


def echo(message: ProcessingRequest, kind: str) -> ProcessingResponse:
    """Let it pass; what came by is told in a header field, so that a test can see it did."""
    response = ProcessingResponse()
    if kind.endswith("_body"):
        body = getattr(message, kind)
        streamed = getattr(response, kind).response.body_mutation.streamed_response
        streamed.body, streamed.end_of_stream = body.body, body.end_of_stream
    elif kind.endswith("_headers"):
        mutation = getattr(response, kind).response.header_mutation
        mutation.set_headers.append(_header("x-processed", kind))
    else:
        mutation = getattr(response, kind).header_mutation
        mutation.set_headers.append(_header("x-processed-trailers", kind))
    return response


def _header(name: str, value: str) -> HeaderValueOption:
    return HeaderValueOption(header=HeaderValue(key=name, raw_value=value.encode()))


async def serve(address: str) -> None:
    # Envoy pings more often than grpc takes for well meant.
    server = grpc.aio.server(options=[("grpc.http2.max_ping_strikes", 0)])
    checking = grpc.unary_unary_rpc_method_handler(
        check, CheckRequest.FromString, CheckResponse.SerializeToString
    )
    processing = grpc.stream_stream_rpc_method_handler(
        process, ProcessingRequest.FromString, ProcessingResponse.SerializeToString
    )
    authorization = "envoy.service.auth.v3.Authorization"
    processor = "envoy.service.ext_proc.v3.ExternalProcessor"
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(authorization, {"Check": checking}),
            grpc.method_handlers_generic_handler(processor, {"Process": processing}),
        )
    )
    server.add_insecure_port(address)
    await server.start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print("standing in", flush=True)
    await stopped.wait()
    await server.stop(grace=0)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
