"""POST /v1/embeddings: OpenAI's embeddings API in front of embedding models.

Rule: floats and base64 carry the same float32 values.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from extproc.demo.server.apis.http import answer, read
from extproc.demo.server.apis.openai import require_model
from extproc.demo.server.errors import ApiError
from extproc.demo.server.models.embedder import Embedder
from extproc.demo.server.models.minilm import unit

_MAX_INPUTS: Final = 2048

Text = Annotated[str, msgspec.Meta(min_length=1)]


class EmbeddingsRequest(msgspec.Struct, frozen=True):
    """Fields that change nothing here, like ``user``, are not read."""

    input: Text | Annotated[list[Text], msgspec.Meta(min_length=1, max_length=_MAX_INPUTS)]
    model: str
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, msgspec.Meta(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingsApi:
    models: Mapping[str, Embedder]

    def route(self) -> Route:
        return Route("/v1/embeddings", self.create, methods=["POST"])

    async def create(self, request: Request) -> Response:
        asked = await read(request, EmbeddingsRequest)
        require_model(asked.model, *self.models)
        model = self.models[asked.model]
        _require_dimensions(model, asked.dimensions)
        return await run_in_threadpool(_answer, model, asked)


def _answer(model: Embedder, asked: EmbeddingsRequest) -> Response:
    embedded = model.embed([asked.input] if isinstance(asked.input, str) else asked.input)
    vectors = _shortened(embedded.vectors, asked.dimensions)
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, asked)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens}
    return answer({"object": "list", "data": data, "model": model.name, "usage": usage})


def _require_dimensions(model: Embedder, asked: int | None) -> None:
    if asked is not None and asked > model.dimensions:
        message = f"This model has {model.dimensions} dimensions, fewer than the {asked} asked for."
        raise ApiError(HTTPStatus.BAD_REQUEST, message, param="dimensions")


def _shortened(vectors: NDArray[np.float32], dimensions: int | None) -> NDArray[np.float32]:
    """The first ``dimensions`` of each vector, scaled to length one again."""
    if dimensions is None:
        return vectors
    return unit(np.ascontiguousarray(vectors[:, :dimensions]))


def _encoded(vector: NDArray[np.float32], asked: EmbeddingsRequest) -> Any:
    if asked.encoding_format == "base64":
        return b64encode(vector.astype("<f4").tobytes()).decode()
    return vector
