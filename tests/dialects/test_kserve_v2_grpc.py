"""KServe v2 over gRPC, written and read by protobuf's own classes."""

from typing import Any

import numpy as np
import pytest

from extproc.dialects import KServeV2Grpc
from extproc.dialects.answers import Frames, at_once
from extproc.dialects.gate import Terms
from extproc.dialects.grpc_dialect import PLAIN, framed, unframed
from extproc.dialects.shape import Rewrite
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import LabelOnly, Quantize, Round, Truncate
from extproc.prediction import KINDS, Kind, Prediction, Query
from tests.dialects.tiers import MODEL, OPEN, Edits, tier
from tests.protos import message

KSERVE = KServeV2Grpc(
    outputs={"probs": "probabilities", "price": "score", "vector": "embedding", "class": "label"}
)
Request = message("inference.ModelInferRequest")
Response = message("inference.ModelInferResponse")
CONTENTS: dict[str, tuple[str, list[Any]]] = {
    "BOOL": ("bool_contents", [True, False]),
    "INT8": ("int_contents", [-1, 300]),
    "INT16": ("int_contents", [-1, 300]),
    "INT32": ("int_contents", [-1, 300]),
    "INT64": ("int64_contents", [-1, 2**40]),
    "UINT8": ("uint_contents", [1, 300]),
    "UINT16": ("uint_contents", [1, 300]),
    "UINT32": ("uint_contents", [1, 2**32 - 1]),
    "UINT64": ("uint64_contents", [1, 2**64 - 1]),
    "FP32": ("fp32_contents", [0.5, 0.25]),
    "FP64": ("fp64_contents", [0.5, 0.25]),
    "BYTES": ("bytes_contents", [b"a", b""]),
}


def asking(**more: Any) -> Any:
    request = Request(model_name="digits", id="42", **more)
    tensor = request.inputs.add(name="x", datatype="FP32", shape=[2, 1])
    tensor.contents.fp32_contents.extend([0.5, 0.25])
    return request


def read(request: Any, granted: Any = KINDS) -> tuple[Any, Any]:
    asked = KSERVE.read(framed(request.SerializeToString()), {}, Terms(granted))
    return asked, Request.FromString(unframed(asked.body))


def test_one_call_is_routed() -> None:
    assert KSERVE.paths() == ("/inference.GRPCInferenceService/ModelInfer",)


class TestRequest:
    def test_what_needs_no_change_goes_on_byte_for_byte(self) -> None:
        request = asking(model_version="3")
        request.outputs.add(name="probs")
        asked, sent = read(request)
        assert sent == request
        assert asked.body == framed(request.SerializeToString())
        assert (asked.query, asked.changed) == (Query("digits", inputs=2), {})
        assert asked.set_headers == PLAIN
        assert [row[0][0] for row in asked.inputs] == ["x", "x"]

    def test_unknown_fields_go_and_are_counted(self) -> None:
        octets = asking().SerializeToString() + b"\xa2\x06\x06s3cret"
        asked = KSERVE.read(framed(octets), {}, Terms(KINDS))
        assert b"s3cret" not in asked.body
        assert asked.changed == {"*": 1}

    def test_outputs_are_asked_for_by_name_and_only_where_they_may_be_answered(self) -> None:
        request = asking()
        request.outputs.add(name="probs").parameters["classification"].int64_param = 3
        request.outputs.add(name="logits")
        request.outputs.add()
        asked, sent = read(request, {"probabilities", "label"})
        assert [output.name for output in sent.outputs] == ["probs"]
        assert not sent.outputs[0].parameters
        assert asked.changed == {"outputs": 1}
        del request.outputs[0]
        with pytest.raises(ClientError, match="None of the requested outputs"):
            read(request, {"probabilities"})

    @pytest.mark.parametrize("datatype", CONTENTS)
    def test_contents_of_every_datatype_go_on(self, datatype: str) -> None:
        request = Request(model_name="m")
        name, values = CONTENTS[datatype]
        tensor = request.inputs.add(name="x", datatype=datatype, shape=[2])
        getattr(tensor.contents, name).extend(values)
        asked, sent = read(request)
        assert sent == request
        assert asked.query.inputs == len(list(asked.inputs)) == 2

    def test_raw_tensors_go_on(self) -> None:
        request = Request(model_name="m", raw_input_contents=[b"\0" * 4, b"\1\0\0\0x"])
        request.inputs.add(name="x", datatype="FP16", shape=[2, 1])
        request.inputs.add(name="y", datatype="BYTES", shape=[1])
        asked, sent = read(request)
        assert sent == request
        assert asked.query.inputs == 2

    def test_a_codec_may_be_named(self) -> None:
        request = asking()
        request.inputs[0].parameters["content_type"].string_param = "np"
        assert read(request)[1] == request

    def test_a_length_that_means_something_over_rest_alone_is_taken_out(self) -> None:
        """KServe's client says it whenever it sends raw octets."""
        request = asking()
        request.inputs[0].parameters["content_type"].string_param = "np"
        plain = Request.FromString(request.SerializeToString())
        request.inputs[0].parameters["binary_data_size"].int64_param = 31337
        asked, sent = read(request)
        assert sent == plain
        assert asked.changed == {"inputs[].parameters.binary_data_size": 1}

    @pytest.mark.parametrize("name", ["shared_memory_region", "shared_memory_byte_size", ""])
    def test_shared_memory_is_refused(self, name: str) -> None:
        request = asking()
        request.inputs[0].parameters[name].int64_param = 7
        with pytest.raises(ClientError, match="parameters"):
            read(request)

    @pytest.mark.parametrize("name", ["sequence_id", "priority"])
    def test_what_reaches_beyond_the_request_is_refused(self, name: str) -> None:
        request = asking()
        request.parameters[name].int64_param = 7
        with pytest.raises(ClientError, match="parameters"):
            read(request)

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda r: r.inputs.clear(), "non-empty"),
            (lambda r: r.inputs[0].ClearField("shape"), "with a shape"),
            (lambda r: r.inputs[0].shape.append(-1), "negative size"),
            (lambda r: r.inputs[0].shape.extend([1] * 40), "more than 32"),
            (lambda r: r.inputs[0].shape.append(2), "fill its shape"),
            (lambda r: r.inputs[0].ClearField("contents"), "fill its shape"),
            (lambda r: r.inputs[0].contents.int_contents.append(7), "what its datatype says"),
            (lambda r: setattr(r.inputs[0], "datatype", "FP16"), "what its datatype says"),
            (lambda r: setattr(r.inputs[0], "datatype", "s3cret"), "what its datatype says"),
            (lambda r: r.raw_input_contents.append(b"x" * 8), "contents and in its raw form"),
            (lambda r: r.raw_input_contents.extend([b"", b""]), "one for each input"),
        ],
    )
    def test_inputs_that_are_not_what_they_say_are_refused(self, change: Any, why: str) -> None:
        request = asking()
        change(request)
        with pytest.raises(ClientError, match=why) as caught:
            read(request)
        assert "s3cret" not in str(caught.value)

    def test_a_message_of_another_schema_is_refused(self) -> None:
        for octets in (b"\x08\x01", b"\xff", b"\x0a\x01\xff"):
            with pytest.raises(ClientError, match="malformed"):
                KSERVE.read(framed(octets), {}, Terms(KINDS))


def answering(**more: Any) -> Any:
    return Response(model_name="digits", id="42", **more)


def shown(answer: Any, edits: Edits) -> tuple[Any, Rewrite]:
    run = Rewrite(edits, MODEL)
    octets = answer if isinstance(answer, bytes) else answer.SerializeToString()
    frames = KSERVE.answers()["application/grpc"]
    assert isinstance(frames, Frames)
    steps: Any = frames.message.rewrite(octets, run)
    return Response.FromString(at_once(steps)), run


def typed(name: str, datatype: str, values: list[Any] | None = None) -> Any:
    answer = answering()
    field, usual = CONTENTS[datatype]
    values = usual if values is None else values
    output = answer.outputs.add(name=name, datatype=datatype, shape=[1, len(values)])
    getattr(output.contents, field).extend(values)
    return answer


def raw(name: str, datatype: str, octets: bytes, shape: list[int]) -> Any:
    answer = answering(raw_output_contents=[octets])
    answer.outputs.add(name=name, datatype=datatype, shape=shape)
    return answer


class TestAnswer:
    def test_what_the_tier_does_not_name_does_not_pass(self) -> None:
        answer = answering(model_version="s3cret")
        answer.parameters["s3cret"].double_param = 31337
        for number, name in enumerate(("probs", "hidden", "class")):
            output = answer.outputs.add(name=name, datatype="INT32", shape=[1])
            output.parameters["s3cret"].string_param = "s3cret"
            value = 31337 if name == "hidden" else number
            answer.raw_output_contents.append(value.to_bytes(4, "little"))
        left, run = shown(answer.SerializeToString() + b"\xa2\x06\x06s3cret", {"label": None})
        assert b"s3cret" not in left.SerializeToString()
        assert [output.name for output in left.outputs] == ["class"]
        assert list(left.raw_output_contents) == [b"\2\0\0\0"]
        assert (left.model_name, left.id) == (MODEL, "42")
        assert run.dropped == {
            "*": 2,
            "outputs[].*": 3,
            "model_name": 1,
            "model_version": 1,
            "outputs[](probabilities)": 1,
            "outputs[](tensor)": 1,
        }

    def test_identity_passes_where_it_is_granted(self) -> None:
        answer = answering(model_version="3")
        assert shown(answer, OPEN)[0] == answer
        assert shown(Response(), OPEN)[0] == Response()

    @pytest.mark.parametrize("datatype", CONTENTS)
    def test_a_tensor_nobody_declared_passes_where_tensors_do(self, datatype: str) -> None:
        answer = typed("logits", datatype)
        assert shown(answer, OPEN)[0] == answer
        assert not shown(answer, {})[0].outputs

    @pytest.mark.parametrize("datatype", ["FP32", "FP64"])
    def test_typed_numbers_are_reduced(self, datatype: str) -> None:
        left, _ = shown(typed("probs", datatype), tier({"probabilities": [LabelOnly()]}))
        assert list(getattr(left.outputs[0].contents, CONTENTS[datatype][0])) == [1, 0]
        assert left.outputs[0].shape == [1, 2]
        left, _ = shown(typed("vector", datatype), tier({"embedding": [Truncate(dimensions=1)]}))
        assert left.outputs[0].shape == [1, 1]
        assert list(getattr(left.outputs[0].contents, CONTENTS[datatype][0])) == [0.5]

    def test_raw_numbers_are_reduced(self) -> None:
        octets = np.array([[3.0, 4.0], [0.5, -0.5]], "<f2").tobytes()
        left, _ = shown(
            raw("vector", "FP16", octets, [2, 2]), tier({"embedding": [Quantize(bits=1)]})
        )
        served = np.frombuffer(left.raw_output_contents[0], "<f2").reshape(2, 2)
        assert abs(served[0]).tolist() == [served[0, 0]] * 2
        assert not left.outputs[0].HasField("contents")
        left, _ = shown(
            raw("price", "FP32", np.array([1.26], "<f4").tobytes(), [1]),
            tier({"score": [Round(digits=1)]}),
        )
        assert np.frombuffer(left.raw_output_contents[0], "<f4")[0] == np.float32(1.3)

    def test_what_a_mutator_withholds_is_taken_out(self) -> None:
        def withheld(_source: object, prediction: Prediction) -> None:
            return None

        left, run = shown(typed("probs", "FP32"), {"probabilities": withheld})
        assert not left.outputs
        assert run.dropped["outputs[](probabilities)"] == 1

    @pytest.mark.parametrize("datatype", ["BOOL", "INT64", "UINT8", "BYTES"])
    def test_labels_pass(self, datatype: str) -> None:
        answer = typed("class", datatype)
        assert shown(answer, OPEN)[0] == answer

    @pytest.mark.parametrize("name", ["probs", "class", "logits"])
    def test_an_empty_tensor_passes(self, name: str) -> None:
        answer = answering()
        answer.outputs.add(name=name, datatype="INT32", shape=[0])
        assert shown(answer, OPEN)[0] == answer

    @pytest.mark.parametrize("as_raw", [True, False])
    def test_scores_hidden_in_labels_make_the_answer_unreadable(self, *, as_raw: bool) -> None:
        label = b"0.93:281:tabby"
        octets = len(label).to_bytes(4, "little") + label
        answer = raw("class", "BYTES", octets, [1]) if as_raw else typed("class", "BYTES", [label])
        with pytest.raises(UpstreamError, match="hides scores"):
            shown(answer, OPEN)

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (typed("class", "FP32"), "fractions"),
            (typed("probs", "INT64"), "holds INT64"),
            (typed("probs", "BYTES"), "holds BYTES"),
            (typed("probs", "FP32", [31337.0]), "declared probabilities"),
            (raw("probs", "FP32", b"\0" * 8, [3]), "fill its shape"),
            (raw("logits", "FP32", b"\0" * 8, [3]), "fill its shape"),
            (raw("logits", "FP8", b"\0", [1]), "unknown datatype"),
            (raw("logits", "FP32", b"\0" * 4, [-1]), "negative size"),
            (Response(raw_output_contents=[b"s3cret"]), "not one for each"),
            (b"\x0a\xff", "malformed"),
            (b"\x08\x01", "malformed"),
        ],
    )
    def test_an_answer_that_is_not_what_it_says_does_not_pass(self, answer: Any, why: str) -> None:
        with pytest.raises(UpstreamError, match=why):
            shown(answer, OPEN)

    @pytest.mark.parametrize("edits", [OPEN, {}])
    def test_a_tensor_stands_in_one_place(self, edits: Edits) -> None:
        """Else what a tier drops in one would pass in the other."""
        both = typed("logits", "FP32")
        both.raw_output_contents.append(b"\0" * 8)
        other = typed("logits", "FP32")
        other.outputs[0].contents.bytes_contents.append(b"s3cret")
        for answer in (both, other):
            with pytest.raises(UpstreamError):
                shown(answer, edits)

    @pytest.mark.parametrize("granted", ["probabilities", "score", "embedding", "label", "tensor"])
    def test_each_kind_passes_alone(self, granted: Kind) -> None:
        answer = answering()
        for name in ("probs", "price", "vector", "logits"):
            answer.MergeFrom(Response(outputs=typed(name, "FP32").outputs))
        answer.MergeFrom(Response(outputs=typed("class", "INT64").outputs))
        left, _ = shown(answer, {granted: None})
        names = {**KSERVE.outputs, "logits": "tensor"}
        assert [output.name for output in left.outputs] == [
            name for name, kind in names.items() if kind == granted
        ]


def test_only_their_places_name_the_classes_of_declared_probabilities() -> None:
    assert KServeV2Grpc(outputs={"probs": "probabilities"}).positional()
    assert not KServeV2Grpc().positional()


def test_the_input_tensors_are_told_by_name() -> None:
    asked, _ = read(asking())
    assert [tensor.name for tensor in asked.tensors] == [each.name for each in asking().inputs]
    for tensor in asked.tensors:
        assert len(tensor.elements()) > 0
