"""KServe v2, the Open Inference Protocol over REST: POST /v2/models/{model}[/versions/{v}]/infer.

Which output holds what is the model's own: the route declares it (see tensor.py).  Tensors stand
as JSON or, behind the JSON, in their raw form; ``Inference-Header-Content-Length`` says where the
JSON ends, and both lengths are written anew.  Rule: every octet behind the JSON belongs to one
tensor that is declared in it, and shared memory, which passes by every gate, is refused.

Sources: KServe "Open Inference Protocol (V2)"; Triton's binary tensor data, classification and
shared memory extensions to it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Final, Literal

import msgspec
import numpy as np
import orjson

from extproc.dialects.answers import Answers, Body, Document, Steps, Whole, at_once
from extproc.dialects.ballots import form_of_votes, listed
from extproc.dialects.batch import Input, batch
from extproc.dialects.dialect import JSON, UNTYPED, JsonDialect, Mistake, Parameters
from extproc.dialects.gate import PASS, Each, Object, Only, Taking, Terms
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
    ABSENT,
    Fault,
    Fields,
    Items,
    Json,
    Keep,
    ModelName,
    Node,
    Opaque,
    Rewrite,
    Stepwise,
)
from extproc.dialects.teachers import Teachers, mistakes_of
from extproc.dialects.tensor import (
    FLOATS,
    INTEGERS,
    STRINGS,
    DeclaredKind,
    OutputKind,
    TensorKind,
    check_floats,
    check_labels,
    check_raw,
    flat,
    passing,
    reduced,
    resized,
    sized,
)
from extproc.errors import ClientError, Malformed, UpstreamError
from extproc.prediction import Kind, Query
from extproc.refusal import Refusal

BINARY: Final = "application/octet-stream"
LENGTH: Final = "inference-header-content-length"
"""Of the JSON before the raw tensors."""
_SIZE: Final = "binary_data_size"
_TAIL: Final = "tensors"
"""Where the raw tensors of an answer are remembered."""

_GATE: Final = Object(
    {
        "id": PASS,
        # KServe's own client writes them; which model is asked, the path says.
        **dict.fromkeys(("model_name", "model_version"), Taking()),
        "inputs": Each(
            Object(
                {
                    **dict.fromkeys(("name", "shape", "datatype", "data"), PASS),
                    "parameters": Object(
                        {
                            _SIZE: PASS,
                            "content_type": PASS,  # MLServer's codec
                            "shared_memory_region": Only(()),
                            "shared_memory_byte_size": Only(()),
                            "shared_memory_offset": Only(()),
                        }
                    ),
                }
            )
        ),
        "outputs": PASS,
        # Sequence ids join the sequences of others, priorities their queue.
        "parameters": Object({"binary_data_output": Only((True, False))}),
    }
)
_LONG: Final = 8 << 10
"""Numbers of a tensor above which others have their turn between reading and writing them."""
_KNOWN: Final = frozenset({"name", "shape", "datatype", "data"})
_ELEMENTS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(FLOATS, list[float]),
    **dict.fromkeys(INTEGERS, list[int]),
    "BOOL": list[bool],
    STRINGS: list[str],
}


class KServeV2(JsonDialect, frozen=True, tag="kserve_v2"):
    """The Open Inference Protocol."""

    outputs: dict[str, DeclaredKind] = msgspec.field(default_factory=dict)
    """What each output tensor holds, by its name."""
    teachers: Teachers | None = None
    """Where one holds votes: how many members its ensemble has, each with one."""

    MEDIA_TYPES: ClassVar[frozenset[str]] = frozenset({JSON, BINARY, UNTYPED})
    HEADERS: ClassVar[tuple[str, ...]] = ("content-type", LENGTH)

    def mistakes(self, _parameters: Collection[str]) -> Iterator[Mistake]:
        """What cannot work."""
        return mistakes_of(self.outputs.values(), self.teachers)

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        head, tail = _split(body, parameters)
        admitted = self.admit(head, _GATE, terms)
        fields, changed = admitted.fields, dict(admitted.changed)
        inputs = _inputs(fields.get("inputs"), tail)
        if fields.get("outputs") is not None:
            asked = self._asked(fields["outputs"], terms.granted, changed)
            if asked != fields["outputs"]:
                fields = {**fields, "outputs": asked}
        query = Query(parameters.get("model", ""), max(each.shape[0] for each in inputs))
        sent = msgspec.structs.replace(admitted, fields=fields).body
        headers = {LENGTH: str(len(sent))} if LENGTH in parameters else {}
        body = sent + tail if tail else sent
        return Asked(query, body, batch(inputs), headers, changed, tensors=inputs)

    def _asked(
        self, asked: Json, granted: Collection[Kind], changed: dict[str, int]
    ) -> list[dict[str, Json]]:
        """The asked outputs that may be answered, by name and whether as raw tensors.

        Other parameters go: ``classification`` hides scores in strings.
        """
        require(
            isinstance(asked, list) and all(isinstance(item, dict) for item in asked),
            "'outputs' must be an array of objects.",
        )
        kept = [
            _asked_output(item)
            for item in asked
            if isinstance(item.get("name"), str)
            and self.outputs.get(item["name"], "tensor") in granted
        ]
        require(kept, "None of the requested outputs is available.")
        if kept != asked:
            changed["outputs"] = changed.get("outputs", 0) + 1
        return kept

    def tree(self) -> Node:
        return Fields(
            {
                "model_name": ModelName(),
                "model_version": Opaque("identity"),
                "id": Keep(),
                "outputs": Items(_Output(self.outputs, self.teachers)),
                "error": Fault(),
            }
        )

    def answers(self) -> Answers:
        tree = self.answer()
        return {JSON: Document(tree), BINARY: Body(_Binary(tree, self.teachers))}

    def positional(self) -> bool:
        return "probabilities" in self.outputs.values()

    def error(self, refusal: Refusal) -> bytes:
        return orjson.dumps({"error": refusal.message})


def _split(body: bytes, parameters: Parameters) -> tuple[bytes, bytes]:
    """The JSON and the raw tensors of a request."""
    length = parameters.get(LENGTH)
    if length is None:
        # Without it a server takes all of a binary body for the one tensor of a model.
        media_type = parameters.get("content-type", "").partition(";")[0].strip().lower()
        require(media_type != BINARY, f"A binary request needs {LENGTH}.")
        return body, b""
    size = _number(length)
    require(size is not None and size <= len(body), f"{LENGTH} is not the length of the JSON.")
    return body[:size], body[size:]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None


def _asked_output(item: dict[str, Json]) -> dict[str, Json]:
    parameters = item.get("parameters")
    binary = parameters.get("binary_data") if isinstance(parameters, dict) else None
    if not isinstance(binary, bool):
        return {"name": item["name"]}
    return {"name": item["name"], "parameters": {"binary_data": binary}}


def _inputs(inputs: Json, tail: bytes) -> list[Input]:
    """The input tensors, which must be as long as a batch and use the raw octets up."""
    require(isinstance(inputs, list) and inputs, "'inputs' must be a non-empty array.")
    view, read = memoryview(tail), []
    for tensor in inputs:
        one, view = _input(tensor, view)
        read.append(one)
    require(not view, "The request holds octets of no input.")
    return read


def _input(tensor: Json, tail: memoryview) -> tuple[Input, memoryview]:
    """One input, and what is left of the raw octets."""
    shape: Json = tensor.get("shape") if isinstance(tensor, dict) else None
    require(sized(shape) and shape, "'inputs' must be an array of tensors with a shape.")
    name, datatype = str(tensor.get("name")), str(tensor.get("datatype"))
    size = (tensor.get("parameters") or {}).get(_SIZE)
    if size is None:
        return Input(name, datatype, shape, tensor.get("data")), tail
    fitting = type(size) is int and 0 <= size <= len(tail) and tensor.get("data") is None
    require(fitting, f"An input's {_SIZE!r} is not that of its octets.")
    octets = tail[:size]
    try:
        check_raw(octets, datatype, shape)
    except Malformed as error:
        raise ClientError(f"An input is wrong: {error}.") from error
    return Input(name, datatype, shape, octets), tail[size:]


class _Tail:
    """The raw tensors behind an answer's JSON.

    The tree takes and gives them their kinds; they are rewritten when it is done.
    """

    def __init__(self, octets: memoryview) -> None:
        self._left = octets
        self._given: list[tuple[dict[str, Json], memoryview, TensorKind, str]] = []

    def take(self, size: Json, place: str) -> memoryview:
        if type(size) is not int or not 0 <= size <= len(self._left):
            raise UpstreamError(f"{place}.parameters.{_SIZE} is not the size of a tensor")
        octets, self._left = self._left[:size], self._left[size:]
        return octets

    def give(
        self, tensor: dict[str, Json], octets: memoryview, kind: TensorKind, place: str
    ) -> None:
        self._given.append((tensor, octets, kind, place))

    def passing(
        self, run: Rewrite, teachers: int | None
    ) -> Steps[tuple[list[bytes | memoryview], list[Json]]]:
        """The raw tensors that pass, theirs sizes filled in; and those that are dropped."""
        if self._left:
            raise UpstreamError("the answer holds octets of no tensor")
        kept: list[bytes | memoryview] = []
        dropped: list[Json] = []
        for tensor, octets, kind, place in self._given:
            datatype, shape = tensor["datatype"], tensor["shape"]
            after = yield from passing(octets, datatype, shape, kind, run, place, teachers)
            if after is None:
                run.drop(f"{place}({kind})")
                dropped.append(tensor)
            else:
                kept.append(after[0])
                tensor |= {"shape": after[1], "parameters": {_SIZE: len(after[0])}}
        return kept, dropped


@dataclass(frozen=True, slots=True)
class _Binary:
    """An answer of JSON and raw tensors behind it."""

    tree: Node
    teachers: int | None

    def rewrite(self, body: bytes, headers: Mapping[str, str], run: Rewrite) -> Steps[Whole]:
        size = _number(headers.get(LENGTH, ""))
        if size is None or size > len(body):
            raise UpstreamError(f"{LENGTH} is not the length of the JSON")
        tail = run.memory[_TAIL] = _Tail(memoryview(body)[size:])
        try:
            after = self.tree.rewrite(orjson.loads(memoryview(body)[:size]), run, "")
        except orjson.JSONDecodeError as error:
            raise UpstreamError("the answer is not valid JSON") from error
        kept, dropped = yield from tail.passing(run, self.teachers)
        if dropped:
            outputs = [each for each in after["outputs"] if all(each is not d for d in dropped)]
            after = {**after, "outputs": outputs}
        # Always written anew: a repeated key would hide from the tree.
        try:
            head = orjson.dumps(after)
        except orjson.JSONEncodeError as error:
            raise UpstreamError("the answer is nested too deeply to be written") from error
        return Whole(b"".join([head, *kept]), {LENGTH: str(len(head))})


@dataclass(frozen=True, slots=True)
class _Output(Stepwise):
    """One output tensor: its name decides its kind, its kind what may pass."""

    kinds: Mapping[str, DeclaredKind]
    teachers: int | None = None

    GATHERS: ClassVar = True

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        return at_once(self.steps(value, run, place))

    def steps(self, value: Json, run: Rewrite, place: str) -> Steps[Json]:
        raw = _raw(value, run, place)
        _check_fields(value, place, listed=raw is None)
        kind: TensorKind = self.kinds.get(value["name"], "tensor")
        if kind not in run.edits:
            return run.drop(f"{place}({kind})")
        for _ in value.keys() - _KNOWN - ({"parameters"} if raw is not None else set()):
            run.drop(f"{place}.*")
        if raw is not None:
            tensor = {name: item for name, item in value.items() if name in _KNOWN}
            run.memory[_TAIL].give(tensor, raw, kind, place)
            return tensor
        if kind == "votes":
            elements = _votes(value, place)
            after = yield from listed(value, elements, self.teachers, run, place)
        else:
            after = yield from _listed(value, kind, run, place)
        return run.drop(f"{place}({kind})") if after is ABSENT else after


def _raw(value: Json, run: Rewrite, place: str) -> memoryview | None:
    """The raw form of a tensor, None where it has none."""
    tail: _Tail | None = run.memory.get(_TAIL)
    parameters = value.get("parameters") if isinstance(value, dict) else None
    if tail is None or not isinstance(parameters, dict) or _SIZE not in parameters:
        return None
    return tail.take(parameters[_SIZE], place)


def _check_fields(value: Json, place: str, *, listed: bool) -> None:
    if (
        type(value) is not dict
        or type(value.get("name")) is not str
        or type(value.get("datatype")) is not str
        or not sized(value.get("shape"))
        or (type(value.get("data")) is not list if listed else "data" in value)
    ):
        raise UpstreamError(f"{place} is not a tensor with name, shape, datatype and data")


def _votes(value: dict[str, Json], place: str) -> list[Any]:
    form_of_votes(value["datatype"], place)
    return _elements(value["data"], value["datatype"], value["shape"], place)


def _listed(
    value: dict[str, Json], kind: OutputKind | Literal["tensor"], run: Rewrite, place: str
) -> Steps[Json]:
    """A tensor in JSON: itself where nothing changed, ABSENT where it is dropped."""
    shape, data, datatype = value["shape"], value["data"], value["datatype"]
    same = value if len(value) == len(_KNOWN) else {k: value[k] for k in value if k in _KNOWN}
    elements = _elements(data, datatype, shape, place)
    if kind == "tensor" or not elements:
        run.told.pass_whole("tensor", elements)
        return same
    if kind == "label":
        check_labels(datatype, elements if datatype == STRINGS else (), place)
        run.told.pass_whole("label", elements)
        return same
    check_floats(kind, datatype, place)
    long = len(elements) > _LONG
    if long:
        yield
    numbers = np.array(elements, np.float64)
    rows = yield from reduced(numbers, shape, kind, run, place)
    if rows is None:
        return ABSENT
    if rows is numbers:
        return same
    if long:
        yield
    shape = resized(shape, rows)
    after = rows.reshape(shape if isinstance(data[0], list) else -1).tolist()
    return {**same, "shape": shape, "data": after}


def _elements(data: list[Json], datatype: str, shape: Sequence[int], place: str) -> list[Any]:
    """The data, flat: as many as the shape says, each of the type the datatype says."""
    try:
        elements = flat(data, len(shape))
        msgspec.convert(elements, _ELEMENTS[datatype])
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise UpstreamError(f"{place} does not hold what its datatype says") from error
    if len(elements) != prod(shape):
        raise UpstreamError(f"{place} does not fill its shape")
    return elements
