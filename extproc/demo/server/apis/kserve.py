"""KServe v2, the Open Inference Protocol over REST, in front of classifiers of rows of numbers.

Rule: an output that is not asked for by name is given only if it is public; `logits` is not.  An
ensemble tells its votes and nothing else, so that a gateway that answers these privately hides
nothing that stands beside them.  Binary tensors are refused.
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
from extproc.demo.server.models.classifier import Classifier, Scores, Signature

_MAX_ROWS: Final = 1024
# A thread costs more than an answer to as few rows as these.
_AT_ONCE: Final = 128
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
    """An output: its KServe datatype, whether it has a column for each class, and what it takes of
    the model's scores.
    """

    datatype: str
    by_class: bool
    of: Callable[[Scores], NDArray[Any] | None]
    public: bool = True


OUTPUTS: Final[Mapping[str, Output]] = {
    "probabilities": Output("FP64", by_class=True, of=lambda scores: scores.probabilities),
    "label": Output("INT64", by_class=False, of=lambda scores: scores.labels),
    "logits": Output("FP64", by_class=True, of=lambda scores: scores.logits, public=False),
    "votes": Output("INT64", by_class=True, of=lambda scores: scores.votes),
}


@dataclass(frozen=True, slots=True)
class KserveApi:
    models: Mapping[str, Classifier]

    def routes(self) -> Sequence[Route]:
        return [
            Route("/v2/health/ready", self.ready, methods=["GET"]),
            Route("/v2/models/{model}", self.metadata, methods=["GET"]),
            Route("/v2/models/{model}/infer", self.infer, methods=["POST"]),
        ]

    async def ready(self, _: Request) -> Response:
        return answer({"ready": True})

    async def metadata(self, request: Request) -> Response:
        asked = self._model(request).signature
        inputs = [{"name": asked.input, "datatype": "FP64", "shape": [-1, asked.features]}]
        outputs = [
            {
                "name": name,
                "datatype": OUTPUTS[name].datatype,
                "shape": [-1, asked.classes] if OUTPUTS[name].by_class else [-1],
            }
            for name in _outputs(asked)
            if OUTPUTS[name].public
        ]
        return answer(
            {
                "name": asked.name,
                "versions": [_VERSION],
                "platform": asked.platform,
                "inputs": inputs,
                "outputs": outputs,
            }
        )

    async def infer(self, request: Request) -> Response:
        model = self._model(request)
        if _BINARY in request.headers:
            raise _bad_request("binary tensors are not supported")
        asked = await read(request, InferRequest)
        if asked.inputs[0].shape[:1] <= [_AT_ONCE] and not model.signature.slow:
            return _answer(model, asked)
        return await run_in_threadpool(_answer, model, asked)

    def _model(self, request: Request) -> Classifier:
        """The one that the path names; raise ApiError 404 where it is not here."""
        name = request.path_params["model"]
        if name not in self.models:
            raise ApiError(HTTPStatus.NOT_FOUND, f"unknown model '{name}'")
        return self.models[name]


def error_body(error: ApiError) -> dict[str, Any]:
    return {"error": error.message}


def _answer(model: Classifier, asked: InferRequest) -> Response:
    names = _asked_names(model.signature, asked)
    scores = model.score(_rows(model.signature, asked.inputs[0]))
    body: dict[str, Any] = {"model_name": model.signature.name, "model_version": _VERSION}
    if asked.id is not None:
        body["id"] = asked.id
    return answer(body | {"outputs": list(_tensors(names, scores))})


def _bad_request(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, message)


def _asked_names(model: Signature, asked: InferRequest) -> Sequence[str]:
    """Outputs to give; raise ApiError 400 where the model has none of such a name."""
    known = _outputs(model)
    if not asked.outputs:
        return [name for name in known if OUTPUTS[name].public]
    names = [output.name for output in asked.outputs]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise _bad_request(f"unexpected inference output '{unknown[0]}' for model '{model.name}'")
    return names


def _outputs(model: Signature) -> Sequence[str]:
    """All that it has, public or not."""
    if model.teachers:
        return ["votes"]
    scores = ["probabilities", "label"]
    return [*scores, "logits"] if model.logits else scores


def _rows(model: Signature, tensor: InputTensor) -> NDArray[np.float64]:
    """The tensor as rows [B, features]; raise ApiError 400 when it is anything else."""
    if tensor.name != model.input:
        raise _bad_request(f"unexpected inference input '{tensor.name}' for model '{model.name}'")
    match tensor.shape:
        case [batch, features] if 1 <= batch <= _MAX_ROWS and features == model.features:
            return _filled(model, tensor, batch)
        case _:
            shape = f"[1 to {_MAX_ROWS}, {model.features}]"
            raise _bad_request(f"input '{model.input}' must have shape {shape}")


def _filled(model: Signature, tensor: InputTensor, batch: int) -> NDArray[np.float64]:
    try:
        rows = np.array(tensor.data, np.float64).reshape(batch, model.features)
    except ValueError as error:
        message = f"input '{model.input}' must have as many data as its shape says"
        raise _bad_request(message) from error
    least, most = rows.min(), rows.max()
    if max(-least, most) > np.finfo(np.float32).max:
        raise _bad_request(f"input '{model.input}' must be finite in FP32")
    if model.bounds is not None and not model.bounds[0] <= least <= most <= model.bounds[1]:
        within = f"{model.bounds[0]:g} to {model.bounds[1]:g}"
        raise _bad_request(f"input '{model.input}' must be numbers of {within}")
    return rows.astype(np.float32).astype(np.float64) if tensor.datatype == "FP32" else rows


def _tensors(names: Sequence[str], scores: Scores) -> Iterator[dict[str, Any]]:
    for name in names:
        values = OUTPUTS[name].of(scores)
        assert values is not None  # names are those of outputs it has
        yield {
            "name": name,
            "datatype": OUTPUTS[name].datatype,
            "shape": list(values.shape),
            "data": values.ravel(),
        }
