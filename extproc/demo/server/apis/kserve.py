"""KServe v2, the Open Inference Protocol over REST, in front of digits.

Rule: an output that is not asked for by name is given only if it is public; `logits` is not.
Binary tensors are refused.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from extproc.demo.server.errors import ApiError
from extproc.demo.server.models.digits import CLASSES, PIXELS, Digits, DigitScores

MODEL: Final = "digits"
INPUT: Final = "image"

_MAX_IMAGES: Final = 1024
_VERSION: Final = "1"
_BINARY: Final = "inference-header-content-length"


class InputTensor(msgspec.Struct, frozen=True):
    name: str
    shape: Annotated[list[int], msgspec.Meta(max_length=8)]
    datatype: Literal["FP32", "FP64"]
    data: list[float | list[float]]


class AskedOutput(msgspec.Struct, frozen=True):
    name: str


class InferRequest(msgspec.Struct, frozen=True):
    """Fields that change nothing here, like ``parameters``, are not read."""

    inputs: Annotated[list[InputTensor], msgspec.Meta(min_length=1, max_length=1)]
    id: str | None = None
    outputs: Annotated[list[AskedOutput], msgspec.Meta(max_length=16)] | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """An output: its KServe datatype, its columns, and what it takes of the model's scores."""

    datatype: str
    columns: Sequence[int]
    of: Callable[[DigitScores], NDArray[Any]]
    public: bool = True


OUTPUTS: Final[Mapping[str, Output]] = {
    "probabilities": Output("FP64", [CLASSES], lambda scores: scores.probabilities),
    "label": Output("INT64", [], lambda scores: scores.labels),
    "logits": Output("FP64", [CLASSES], lambda scores: scores.logits, public=False),
}


@dataclass(frozen=True, slots=True)
class KserveApi:
    model: Digits

    def routes(self) -> Sequence[Route]:
        return [
            Route("/v2/health/ready", self.ready, methods=["GET"]),
            Route("/v2/models/{model}", self.metadata, methods=["GET"]),
            Route("/v2/models/{model}/infer", self.infer, methods=["POST"]),
        ]

    async def ready(self, _: Request) -> Response:
        return answer({"ready": True})

    async def metadata(self, request: Request) -> Response:
        _require_model(request)
        outputs = [
            {"name": name, "datatype": output.datatype, "shape": [-1, *output.columns]}
            for name, output in OUTPUTS.items()
            if output.public
        ]
        return answer(
            {
                "name": MODEL,
                "versions": [_VERSION],
                "platform": "numpy",
                "inputs": [{"name": INPUT, "datatype": "FP64", "shape": [-1, PIXELS]}],
                "outputs": outputs,
            }
        )

    async def infer(self, request: Request) -> Response:
        _require_model(request)
        if _BINARY in request.headers:
            raise _bad_request("binary tensors are not supported")
        return await run_in_threadpool(self._answer, await read(request, InferRequest))

    def _answer(self, asked: InferRequest) -> Response:
        names = _asked_names(asked)
        scores = self.model.score(_images(asked.inputs[0]))
        body: dict[str, Any] = {"model_name": MODEL, "model_version": _VERSION}
        if asked.id is not None:
            body["id"] = asked.id
        return answer(body | {"outputs": list(_tensors(names, scores))})


def error_body(error: ApiError) -> dict[str, Any]:
    return {"error": error.message}


def _bad_request(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, message)


def _require_model(request: Request) -> None:
    asked = request.path_params["model"]
    if asked != MODEL:
        raise ApiError(HTTPStatus.NOT_FOUND, f"unknown model '{asked}'")


def _asked_names(asked: InferRequest) -> Sequence[str]:
    if not asked.outputs:
        return [name for name, output in OUTPUTS.items() if output.public]
    names = [output.name for output in asked.outputs]
    unknown = [name for name in names if name not in OUTPUTS]
    if unknown:
        raise _bad_request(f"unexpected inference output '{unknown[0]}' for model '{MODEL}'")
    return names


def _images(tensor: InputTensor) -> NDArray[np.float64]:
    """The tensor as images [B, 64]; raise ApiError 400 when it is anything else."""
    if tensor.name != INPUT:
        raise _bad_request(f"unexpected inference input '{tensor.name}' for model '{MODEL}'")
    match tensor.shape:
        case [batch, pixels] if 1 <= batch <= _MAX_IMAGES and pixels == PIXELS:
            return _filled(tensor, batch)
        case _:
            raise _bad_request(f"input '{INPUT}' must have shape [1 to {_MAX_IMAGES}, {PIXELS}]")


def _filled(tensor: InputTensor, batch: int) -> NDArray[np.float64]:
    try:
        images = np.array(tensor.data, np.float64).reshape(batch, PIXELS)
    except ValueError as error:
        raise _bad_request(f"input '{INPUT}' must have as many data as its shape says") from error
    if np.abs(images).max() > np.finfo(np.float32).max:
        raise _bad_request(f"input '{INPUT}' must be finite in FP32")
    return images.astype(np.float32).astype(np.float64) if tensor.datatype == "FP32" else images


def _tensors(names: Sequence[str], scores: DigitScores) -> Iterator[dict[str, Any]]:
    for name in names:
        values = OUTPUTS[name].of(scores)
        yield {
            "name": name,
            "datatype": OUTPUTS[name].datatype,
            "shape": list(values.shape),
            "data": values.ravel(),
        }
