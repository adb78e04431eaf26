"""The application: which path leads to which API.

Rule: an API is served only if its model is loaded; a refusal has the shape of the API it concerns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from extproc.demo.server.apis import kserve, openai
from extproc.demo.server.apis.chat import ChatApi
from extproc.demo.server.apis.embeddings import EmbeddingsApi
from extproc.demo.server.apis.http import answer
from extproc.demo.server.apis.kserve import KserveApi
from extproc.demo.server.errors import ApiError
from extproc.demo.server.models.classifier import Classifier
from extproc.demo.server.models.embedder import Embedder
from extproc.demo.server.models.tiny_lm import TinyLm


@dataclass(frozen=True, slots=True)
class Models:
    """The loaded models; None, or no entry, is one that was left out."""

    classifiers: Sequence[Classifier] = ()
    embedders: Sequence[Embedder] = ()
    tiny_lm: TinyLm | None = None

    @property
    def names(self) -> list[str]:
        named = [
            *(classifier.signature.name for classifier in self.classifiers),
            *(embedder.name for embedder in self.embedders),
        ]
        return named if self.tiny_lm is None else [*named, "tiny-lm"]


def create_app(models: Models, clock: Callable[[], float], pace: float = 0.0) -> Starlette:
    """The ASGI application; ``clock`` gives seconds since 1970, ``pace`` those between two events
    of a stream.
    """
    return Starlette(
        routes=_routes(models, clock, pace),
        exception_handlers={
            ApiError: _refuse,
            HTTPException: _refuse_http,
            HTTPStatus.INTERNAL_SERVER_ERROR: _fail,
        },
    )


def _routes(models: Models, clock: Callable[[], float], pace: float) -> list[Route]:
    routes = [
        Route("/healthz", _healthz, methods=["GET"]),
        openai.models_route(models.names, int(clock())),
    ]
    if models.classifiers:
        by_name = {each.signature.name: each for each in models.classifiers}
        routes += KserveApi(by_name).routes()
    if models.embedders:
        routes.append(EmbeddingsApi({each.name: each for each in models.embedders}).route())
    if models.tiny_lm is not None:
        routes.append(ChatApi(models.tiny_lm, clock, pace).route())
    return routes


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    api = kserve if request.url.path.startswith("/v2") else openai
    return answer(api.error_body(error), error.status)


async def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = await _refuse(request, ApiError(HTTPStatus(error.status_code), error.detail))
    response.headers.update(error.headers or {})
    return response


async def _fail(request: Request, _: Exception) -> Response:
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return await _refuse(request, ApiError(status, "The server had an error."))
