"""KServe v2, the Open Inference Protocol over gRPC: GRPCInferenceService/ModelInfer.

A tensor stands in typed ``contents``, or in its raw form beside all tensors; FP16 and BF16 only
so.  Rule: as for REST, what an output holds is declared by its name (see tensor.py), every raw
tensor belongs to one that is declared, and shared memory is refused.  ``ModelStreamInfer`` is not
routed: its clients keep the request open, and a request goes on only when it has been read whole.

Source: KServe "Open Inference Protocol (V2)", grpc_predict_v2.proto.
"""

from collections.abc import Collection, Iterator, Mapping
from math import prod
from typing import Any, ClassVar, Final

import msgspec
import numpy as np

from extproc.dialects.answers import Answers, Steps
from extproc.dialects.ballots import form_of_votes, tallied
from extproc.dialects.batch import Input, batch
from extproc.dialects.dialect import Mistake, Parameters
from extproc.dialects.gate import Changes, Terms
from extproc.dialects.grpc_dialect import PLAIN, GrpcDialect, answering, framed, unframed
from extproc.dialects.protobuf import (
    Field,
    Form,
    Message,
    Schema,
    count,
    decode,
    encode,
    integers,
    written,
)
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import ModelName, Rewrite
from extproc.dialects.teachers import Teachers, mistakes_of
from extproc.dialects.tensor import (
    DIMENSIONS,
    STRINGS,
    DeclaredKind,
    TensorKind,
    check_floats,
    check_labels,
    check_raw,
    names,
    passing,
    passing_whole,
    sized,
)
from extproc.errors import ClientError, Malformed, UpstreamError
from extproc.prediction import Query

_PARAMETERS: Final = Field("parameters", {1: Field("name", Form.STRING), 2: Field("value", {
    1: Field("bool", Form.VARINT), 2: Field("int64", Form.VARINT), 3: Field("string", Form.STRING),
    4: Field("double", Form.FIXED64), 5: Field("uint64", Form.VARINT),
})}, repeated=True)  # fmt: skip
_CONTENTS: Final[Schema] = {
    1: Field("bool_contents", Form.VARINT, repeated=True),
    2: Field("int_contents", Form.VARINT, repeated=True),
    3: Field("int64_contents", Form.VARINT, repeated=True),
    4: Field("uint_contents", Form.VARINT, repeated=True),
    5: Field("uint64_contents", Form.VARINT, repeated=True),
    6: Field("fp32_contents", Form.FIXED32, repeated=True),
    7: Field("fp64_contents", Form.FIXED64, repeated=True),
    8: Field("bytes_contents", Form.BYTES, repeated=True),
}
_TENSOR: Final[Schema] = {
    1: Field("name", Form.STRING),
    2: Field("datatype", Form.STRING),
    3: Field("shape", Form.VARINT, repeated=True),
    4: _PARAMETERS,
    5: Field("contents", _CONTENTS),
}
_REQUEST: Final[Schema] = {
    1: Field("model_name", Form.STRING),
    2: Field("model_version", Form.STRING),
    3: Field("id", Form.STRING),
    4: _PARAMETERS,
    5: Field("inputs", _TENSOR, repeated=True),
    6: Field("outputs", {1: Field("name", Form.STRING), 2: _PARAMETERS}, repeated=True),
    7: Field("raw_input_contents", Form.BYTES, repeated=True),
}
ANSWER: Final[Schema] = {
    1: Field("model_name", Form.STRING),
    2: Field("model_version", Form.STRING),
    3: Field("id", Form.STRING),
    5: Field("outputs", {n: f for n, f in _TENSOR.items() if f is not _PARAMETERS}, repeated=True),
    6: Field("raw_output_contents", Form.BYTES, repeated=True),
}
_FORMS: Final = {field.name: field.form for field in _CONTENTS.values()}
_HOLDING: Final[Mapping[str, str]] = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    STRINGS: "bytes_contents",
}
"""The contents that a datatype stands in."""
_RAW_FORM: Final = frozenset({"FP32", "FP64"})
"""Whose contents are octet for octet their raw form."""
_INPUT_PARAMETERS: Final = frozenset({"content_type"})
_SIZE: Final = "binary_data_size"
"""KServe's client says it here as over REST, where it means something: it is taken out."""


class KServeV2Grpc(GrpcDialect, frozen=True, tag="kserve_v2_grpc"):
    """The Open Inference Protocol over gRPC."""

    outputs: dict[str, DeclaredKind] = msgspec.field(default_factory=dict)
    """What each output tensor holds, by its name."""
    teachers: Teachers | None = None
    """Where one holds votes: how many members its ensemble has, each with one."""

    SERVICE: ClassVar[str] = "inference.GRPCInferenceService"

    def paths(self) -> tuple[str, ...]:
        return (f"/{self.SERVICE}/ModelInfer",)

    def mistakes(self, _parameters: Collection[str]) -> Iterator[Mistake]:
        """What cannot work."""
        return mistakes_of(self.outputs.values(), self.teachers)

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        changes = Changes(terms)
        try:
            request = decode(unframed(body), _REQUEST, changes.note)
            _without_sizes(request, changes)
            inputs = _inputs(request)
        except Malformed as error:
            raise ClientError(f"The request is malformed: {error}.") from error
        require("parameters" not in request, "'parameters' are not available.")
        if "outputs" in request:
            request["outputs"] = self._asked(request["outputs"], changes)
        query = Query(request.get("model_name", ""), max(each.shape[0] for each in inputs))
        sent = framed(encode(request, _REQUEST))
        return Asked(query, sent, batch(inputs), PLAIN, changes.counts, tensors=inputs)

    def _asked(self, asked: list[Message], changes: Changes) -> list[Message]:
        """The asked outputs that may be answered, by name alone: ``classification`` hides scores in
        strings, and shared memory passes by every gate.
        """
        granted = changes.terms.granted
        kept = [
            {"name": item["name"]}
            for item in asked
            if self.outputs.get(item.get("name", ""), "tensor") in granted and "name" in item
        ]
        require(kept, "None of the requested outputs is available.")
        if kept != asked:
            changes.note("outputs")
        return kept

    def positional(self) -> bool:
        return "probabilities" in self.outputs.values()

    def answers(self) -> Answers:
        return answering(_Answer(self.outputs, self.teachers))


def _without_sizes(request: Message, changes: Changes) -> None:
    for tensor in request.get("inputs", []):
        given = tensor.get("parameters", [])
        kept = [each for each in given if each.get("name") != _SIZE]
        if len(kept) < len(given):
            changes.note(f"inputs[].parameters.{_SIZE}")
            tensor["parameters"] = kept


def _inputs(request: Message) -> list[Input]:
    """The input tensors; raw ones one for each."""
    tensors, raws = request.get("inputs", []), request.get("raw_input_contents", [])
    require(tensors, "'inputs' must be a non-empty array.")
    require(len(raws) in {0, len(tensors)}, "'raw_input_contents' must hold one for each input.")
    return [_input(tensor, raws[number] if raws else None) for number, tensor in enumerate(tensors)]


def _input(tensor: Message, raw: memoryview | None) -> Input:
    """Raise Malformed where it does not hold what it says."""
    unknown = {each.get("name") for each in tensor.get("parameters", ())} - _INPUT_PARAMETERS
    require(not unknown, "'inputs[].parameters' holds what is not available.")
    shape, datatype = _shape(tensor), tensor.get("datatype", "")
    require(shape, "'inputs' must be an array of tensors with a shape.")
    octets = _octets(tensor, datatype, shape, raw)
    if isinstance(octets, list):
        octets = list(names(octets))
    return Input(tensor.get("name", ""), datatype, shape, octets)


def _shape(tensor: Message) -> list[int]:
    shape = integers(tensor.get("shape", b""), DIMENSIONS)
    if not sized(shape):
        raise Malformed("a shape holds a negative size")
    return shape


def _octets(tensor: Message, datatype: str, shape: list[int], raw: memoryview | None) -> Any:
    """The raw form or the contents, which must be what the datatype and the shape say.

    Octets, but a list of them where strings stand in contents.
    """
    contents = tensor.get("contents", {})
    if raw is not None:
        if contents:
            raise Malformed("a tensor stands in contents and in its raw form")
        check_raw(raw, datatype, shape)
        return raw
    name = _HOLDING.get(datatype)
    if name is None or contents.keys() - {name}:
        raise Malformed("a tensor does not hold what its datatype says")
    octets = contents.get(name, [] if datatype == STRINGS else memoryview(b""))
    found = len(octets) if isinstance(octets, list) else count(_number_form(name), octets)
    if found != prod(shape):
        raise Malformed("a tensor does not fill its shape")
    return octets


def _number_form(name: str) -> Form:
    form = _FORMS[name]
    assert isinstance(form, Form)
    return form


class _Answer:
    """ModelInferResponse."""

    GATHERS: ClassVar = True

    def __init__(self, kinds: Mapping[str, DeclaredKind], teachers: int | None) -> None:
        self._kinds, self._teachers = kinds, teachers

    def rewrite(self, message: bytes, run: Rewrite) -> Steps[bytes]:
        try:
            answer = yield from self._rewrite(decode(message, ANSWER, run.drop), run)
            return encode(answer, ANSWER)
        except Malformed as error:
            raise UpstreamError(f"the answer is malformed: {error}") from error

    def _rewrite(self, answer: Message, run: Rewrite) -> Steps[Message]:
        if "model_name" in answer:
            answer["model_name"] = ModelName().rewrite(answer["model_name"], run, "model_name")
        if "model_version" in answer and "identity" not in run.edits:
            run.drop("model_version")
            del answer["model_version"]
        outputs, raws = answer.pop("outputs", []), answer.pop("raw_output_contents", [])
        if len(raws) not in {0, len(outputs)}:
            raise Malformed("raw_output_contents holds not one for each output")
        kept = []
        for number, output in enumerate(outputs):
            passed = yield from self._output(output, raws[number] if raws else None, run)
            if passed is not None:
                kept.append(passed)
        answer["outputs"] = [output for output, _ in kept]
        answer["raw_output_contents"] = [raw for _, raw in kept if raw is not None]
        return answer

    def _output(
        self, output: Message, raw: memoryview | None, run: Rewrite
    ) -> Steps[tuple[Message, Any] | None]:
        """One tensor and its raw form, as far as it has one; None where it is dropped."""
        kind: TensorKind = self._kinds.get(output.get("name", ""), "tensor")
        place = f"outputs[]({kind})"
        shape, datatype = _shape(output), output.get("datatype", "")
        octets = _octets(output, datatype, shape, raw)
        after = None
        if kind in run.edits and (raw is not None or datatype in _RAW_FORM):
            after = yield from passing(octets, datatype, shape, kind, run, place, self._teachers)
        elif kind == "votes" and kind in run.edits:
            after = yield from _voted(octets, datatype, shape, self._teachers, run, place)
        elif kind in run.edits:
            after = _unchanged(octets, datatype, kind, place), shape
            passing_whole(octets, kind, shape, run.told)
        if after is None:
            run.drop(place)
            return None
        passed, output["shape"] = after[0], b"".join(map(written, after[1]))
        if raw is not None:
            return output, passed
        if "contents" in output:
            output["contents"] = {_HOLDING[datatype]: passed}
        return output, None


def _voted(
    octets: Any,
    datatype: str,
    shape: list[int],
    teachers: int | None,
    run: Rewrite,
    place: str,
) -> Steps[tuple[Any, list[int]] | None]:
    """Contents that hold votes: varints."""
    form_of_votes(datatype, place)
    if not octets:
        return octets, shape
    before = np.array(integers(octets, prod(shape)), np.int64)
    rows = yield from tallied(before, shape, teachers, run, place)
    if rows is None or rows is before:
        return None if rows is None else (octets, shape)
    return b"".join(map(written, rows.ravel().tolist())), shape


def _unchanged(octets: Any, datatype: str, kind: TensorKind, place: str) -> Any:
    """Contents that are no numbers with fractions: only as what they may be."""
    if kind == "label":
        check_labels(datatype, names(octets) if datatype == STRINGS else (), place)
    elif kind != "tensor" and octets:
        check_floats(kind, datatype, place)
    return octets
