"""TensorFlow Serving over gRPC: PredictionService/{Predict, Classify, Regress}.

Rule: one dialect reads one call, since their messages have nothing in common.  ``Predict``
answers tensors by name, and ``output_filter`` may name any tensor of the graph: only what the
route declares and the tier grants is asked for.  ``MultiInference``, ``GetModelMetadata`` and the
streamed calls are not routed.

Source: TensorFlow Serving, predict.proto, classification.proto, regression.proto, input.proto.
"""

import struct
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Literal

import msgspec
import numpy as np

from extproc.dialects.answers import Answers, Steps, at_once
from extproc.dialects.batch import Input, Later, batch
from extproc.dialects.dialect import Parameters
from extproc.dialects.gate import Changes, Terms
from extproc.dialects.grpc_dialect import PLAIN, GrpcDialect, answering, framed, unframed
from extproc.dialects.protobuf import Field, Form, Message, Schema, decode, encode
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import ModelName, Rewrite
from extproc.dialects.tensor import Kinds, OutputKind, TensorKind, reduced
from extproc.dialects.tensorflow_tensor import TENSOR, as_input, reduced_tensor
from extproc.errors import ClientError, Malformed, UpstreamError
from extproc.prediction import Query

_MODEL: Final[Schema] = {
    1: Field("name", Form.STRING),
    2: Field("version", {1: Field("value", Form.VARINT)}),
    3: Field("signature_name", Form.STRING),
    4: Field("version_label", Form.STRING),
}
_TENSORS: Final[Schema] = {1: Field("key", Form.STRING), 2: Field("value", TENSOR)}
_FEATURE: Final[Schema] = {
    1: Field("bytes_list", {1: Field("value", Form.BYTES, repeated=True)}),
    2: Field("float_list", {1: Field("value", Form.FIXED32, repeated=True)}),
    3: Field("int64_list", {1: Field("value", Form.VARINT, repeated=True)}),
}
_FEATURES: Final[Schema] = {
    1: Field("feature", {1: Field("key", Form.STRING), 2: Field("value", _FEATURE)}, repeated=True)
}
_EXAMPLE: Final[Schema] = {1: Field("features", _FEATURES)}
_EXAMPLES: Final = Field("examples", _EXAMPLE, repeated=True)
_PREDICT: Final[Schema] = {
    1: Field("model_spec", _MODEL),
    2: Field("inputs", _TENSORS, repeated=True),
    3: Field("output_filter", Form.STRING, repeated=True),
}
_EXAMINE: Final[Schema] = {
    1: Field("model_spec", _MODEL),
    2: Field(
        "input",
        {
            1: Field("example_list", {1: _EXAMPLES}),
            2: Field("example_list_with_context", {1: _EXAMPLES, 2: Field("context", _EXAMPLE)}),
        },
    ),
}
_PREDICTED: Final[Schema] = {
    1: Field("outputs", _TENSORS, repeated=True),
    2: Field("model_spec", _MODEL),
}
_CLASS: Final[Schema] = {1: Field("label", Form.STRING), 2: Field("score", Form.FIXED32)}
_CLASSIFIED: Final[Schema] = {
    1: Field(
        "result",
        {1: Field("classifications", {1: Field("classes", _CLASS, repeated=True)}, repeated=True)},
    ),
    2: Field("model_spec", _MODEL),
}
_REGRESSED: Final[Schema] = {
    1: Field("result", {1: Field("regressions", {1: Field("value", Form.FIXED32)}, repeated=True)}),
    2: Field("model_spec", _MODEL),
}
_FLOAT: Final = struct.Struct("<f")


class TensorFlowGrpc(GrpcDialect, frozen=True, tag="tensorflow_grpc"):
    """TensorFlow Serving's PredictionService."""

    call: Literal["Predict", "Classify", "Regress"] = "Predict"
    """Which call of the service the route's path is."""
    outputs: dict[str, OutputKind] = msgspec.field(default_factory=dict)
    """What each output tensor of ``Predict`` holds, by its name."""

    SERVICE: ClassVar[str] = "tensorflow.serving.PredictionService"

    def paths(self) -> tuple[str, ...]:
        return (f"/{self.SERVICE}/{self.call}",)

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        changes = Changes(terms)
        schema = _PREDICT if self.call == "Predict" else _EXAMINE
        try:
            request = decode(unframed(body), schema, changes.note)
            inputs, count, tensors = self._inputs(request)
        except Malformed as error:
            raise ClientError(f"The request is malformed: {error}.") from error
        if "output_filter" in request:
            request["output_filter"] = self._filter(request["output_filter"], changes)
        query = Query(request.get("model_spec", {}).get("name", ""), count)
        sent = framed(encode(request, schema))
        return Asked(query, sent, inputs, PLAIN, changes.counts, tensors=tensors)

    def _inputs(self, request: Message) -> tuple[Sequence[Any], int, list[Input] | None]:
        """What is asked about, how many that is, and the tensors that hold it."""
        if self.call != "Predict":
            examples = _examples(request.get("input", {}))
            return examples, len(examples), None
        entries = request.get("inputs", [])
        given = {entry.get("key", ""): entry.get("value", {}) for entry in entries}
        require(given, "'inputs' must hold a tensor.")
        require(len(given) == len(entries), "'inputs' names a tensor twice.")
        inputs = [as_input(name, tensor) for name, tensor in given.items()]
        count = max(each.shape[0] if each.shape else 1 for each in inputs)
        return batch(inputs), count, inputs

    def _filter(self, asked: list[str], changes: Changes) -> list[str]:
        granted = changes.terms.granted
        kept = [name for name in asked if self.outputs.get(name, "tensor") in granted]
        require(kept, "None of the requested outputs is available.")
        if kept != asked:
            changes.note("output_filter")
        return kept

    def positional(self) -> bool:
        return self.call == "Classify" or "probabilities" in self.outputs.values()

    def answers(self) -> Answers:
        match self.call:
            case "Predict":
                return answering(_Predicted(self.outputs))
            case "Classify":
                return answering(_Classified())
            case "Regress":
                return answering(_Regressed())


def _examples(given: Message) -> Sequence[Any]:
    """What each example holds, with the context that is merged into it."""
    require(len(given) == 1, "'input' must hold one list of examples.")
    [one] = given.values()
    examples, context = one.get("examples", []), one.get("context", {})
    require(examples, "'input' must hold examples.")
    return Later(len(examples), lambda: [_features(context) + _features(e) for e in examples])


def _features(example: Message) -> list[list[Any]]:
    features = example.get("features", {}).get("feature", [])
    ordered = sorted(features, key=lambda each: str(each.get("key", "")))
    return [[each.get("key", ""), encode(each.get("value", {}), _FEATURE)] for each in ordered]


def _reading(message: bytes, schema: Schema, run: Rewrite) -> Message:
    """Raise UpstreamError where the answer is none of this schema."""
    try:
        answer = decode(message, schema, run.drop)
    except Malformed as error:
        raise UpstreamError(f"the answer is malformed: {error}") from error
    model = answer.get("model_spec", {})
    if "name" in model:
        model["name"] = ModelName().rewrite(model["name"], run, "model_spec.name")
    for name in {"version", "version_label"} & model.keys():
        if "identity" not in run.edits:
            run.drop(f"model_spec.{name}")
            del model[name]
    return answer


class _Predicted:
    """PredictResponse."""

    GATHERS: ClassVar = True

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds

    def rewrite(self, message: bytes, run: Rewrite) -> Steps[bytes]:
        answer = _reading(message, _PREDICTED, run)
        outputs = answer.get("outputs", [])
        if len({entry.get("key", "") for entry in outputs}) != len(outputs):
            raise UpstreamError("outputs names a tensor twice")
        kept = []
        for entry in outputs:
            tensor = yield from self._output(entry, run)
            if tensor is not None:
                kept.append({**entry, "value": tensor})
        answer["outputs"] = kept
        return encode(answer, _PREDICTED)

    def _output(self, entry: Message, run: Rewrite) -> Steps[Message | None]:
        kind: TensorKind = self._kinds.get(entry.get("key", ""), "tensor")
        place, tensor = f"outputs[]({kind})", None
        if kind in run.edits:
            try:
                tensor = yield from reduced_tensor(entry.get("value", {}), kind, run, place)
            except Malformed as error:
                raise UpstreamError(f"{place}: {error}") from error
        if tensor is None:
            run.drop(place)
        return tensor


class _Classified:
    """ClassificationResponse: where scores are not granted, the best label alone."""

    def rewrite(self, message: bytes, run: Rewrite) -> Steps[bytes]:
        answer = _reading(message, _CLASSIFIED, run)
        each = answer.get("result", {}).get("classifications", [])
        for number, one in enumerate(each):
            run.at = number
            one["classes"] = _classes(one.get("classes", []), run)
            yield
        run.at = None
        return encode(answer, _CLASSIFIED)


def _classes(classes: list[Message], run: Rewrite) -> list[Message]:
    if not classes:
        return classes
    place = "result.classifications[].classes[]"
    scores = np.array([_float(each.get("score")) for each in classes])
    labelled = "label" in run.edits
    if not labelled:
        run.drop(f"{place}.label")
    names = [{"label": each["label"]} if labelled and "label" in each else {} for each in classes]
    if "probabilities" not in run.edits:
        run.drop(f"{place}.score")
        run.told.count_names(int(labelled), len(classes), scored=False)
        return [names[int(scores.argmax())]] if labelled else []
    rows = at_once(reduced(scores, [len(classes)], "probabilities", run, place))
    if rows is None:
        run.drop(place)
        return []
    # A class that reads 0 leaves with its label: where it stood would tell its rank.
    left = [
        {**name, "score": _FLOAT.pack(after)}
        for name, after, before in zip(names, rows.reshape(-1), scores, strict=True)
        if after or not before
    ]
    run.told.count_names(len(left) * labelled, len(classes))
    return left


class _Regressed:
    """RegressionResponse."""

    def rewrite(self, message: bytes, run: Rewrite) -> Steps[bytes]:
        answer = _reading(message, _REGRESSED, run)
        place = "result.regressions[]"
        each = answer.get("result", {}).get("regressions", [])
        if not each:
            return encode(answer, _REGRESSED)
        values = np.array([_float(one.get("value")) for one in each])
        rows = None
        if "score" in run.edits:
            rows = yield from reduced(values, [len(each)], "score", run, place)
        if rows is None:
            run.drop(place)
            del answer["result"]
        else:
            after = [{"value": _FLOAT.pack(value)} for value in rows.reshape(-1)]
            answer["result"]["regressions"] = after
        return encode(answer, _REGRESSED)


def _float(octets: memoryview | None) -> float:
    """A field that is missing is 0."""
    return 0.0 if octets is None else float(_FLOAT.unpack(octets)[0])
