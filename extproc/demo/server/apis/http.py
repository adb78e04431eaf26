"""Bodies in and out.  Rule: a body is bounded before it is read, and checked before it is used."""

from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response

from extproc.demo.server.errors import ApiError

MAX_BODY: Final = 4 << 20

T = TypeVar("T")


async def read(request: Request, kind: type[T]) -> T:
    """Read the body as ``kind``; raise ApiError 413 above 4 MiB, 400 when it does not fit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request body is too large.")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, f"The request body is invalid: {error}") from error


def render(value: object) -> bytes:
    """JSON with the shortest digits that read back to the same float."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def answer(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(render(value), status, media_type="application/json")
