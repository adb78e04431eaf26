"""What OpenAI's APIs share: the error, the unknown model, the list of models."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from extproc.demo.server.apis.http import answer
from extproc.demo.server.errors import ApiError


def error_body(error: ApiError) -> dict[str, Any]:
    ours = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return {
        "error": {
            "message": error.message,
            "type": "server_error" if ours else "invalid_request_error",
            "param": error.param,
            "code": error.code,
        }
    }


def require_model(asked: str, *served: str) -> None:
    """Raise ApiError 404 unless it is a served model that is asked for."""
    if asked not in served:
        raise ApiError(
            HTTPStatus.NOT_FOUND,
            f"The model `{asked}` does not exist or you do not have access to it.",
            param="model",
            code="model_not_found",
        )


def models_route(names: Sequence[str], created: int) -> Route:
    """GET /v1/models; ``created`` in seconds since 1970."""
    models = [
        {"id": name, "object": "model", "created": created, "owned_by": "extproc-demo"}
        for name in names
    ]

    async def list_models(_: Request) -> Response:
        return answer({"object": "list", "data": models})

    return Route("/v1/models", list_models, methods=["GET"])
