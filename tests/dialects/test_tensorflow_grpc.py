"""TensorFlow Serving over gRPC, written and read by protobuf's own classes."""

from typing import Any

import numpy as np
import pytest

from extproc.dialects import TensorFlowGrpc
from extproc.dialects.answers import Frames, at_once
from extproc.dialects.gate import Terms
from extproc.dialects.grpc_dialect import PLAIN, framed, unframed
from extproc.dialects.shape import Rewrite
from extproc.draw import Draw, Draws, Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import LabelOnly, Round, TopK
from extproc.prediction import KINDS, Prediction, Query
from tests.dialects.tiers import MODEL, OPEN, Edits, tier
from tests.protos import message

PREDICT = TensorFlowGrpc(
    "Predict", outputs={"probs": "probabilities", "vector": "embedding", "class": "label"}
)
CLASSIFY, REGRESS = TensorFlowGrpc("Classify"), TensorFlowGrpc("Regress")
PredictRequest = message("tensorflow.serving.PredictRequest")
PredictResponse = message("tensorflow.serving.PredictResponse")
ClassificationRequest = message("tensorflow.serving.ClassificationRequest")
ClassificationResponse = message("tensorflow.serving.ClassificationResponse")
RegressionResponse = message("tensorflow.serving.RegressionResponse")
Example = message("tensorflow.Example")


def fill(tensor: Any, *values: float, shape: tuple[int, ...] | None = None) -> None:
    tensor.dtype = 1
    tensor.float_val.extend(values)
    for size in (len(values),) if shape is None else shape:
        tensor.tensor_shape.dim.add(size=size)


def predicting() -> Any:
    request = PredictRequest()
    request.model_spec.name = "digits"
    request.model_spec.signature_name = "serving_default"
    fill(request.inputs["x"], 0.5, 0.25)
    return request


def read(dialect: TensorFlowGrpc, request: Any, granted: Any = KINDS) -> tuple[Any, Any]:
    asked = dialect.read(framed(request.SerializeToString()), {}, Terms(granted))
    return asked, type(request).FromString(unframed(asked.body))


def shown(dialect: TensorFlowGrpc, answer: Any, edits: Edits, draws: Any = None) -> Any:
    """The answer as a client reads it, and what was dropped."""
    run = Rewrite(edits, MODEL, draws)
    frames = dialect.answers()["application/grpc"]
    assert isinstance(frames, Frames)
    octets = answer if isinstance(answer, bytes) else answer.SerializeToString()
    steps: Any = frames.message.rewrite(octets, run)
    kind = PredictResponse if dialect is PREDICT else ClassificationResponse
    kind = RegressionResponse if dialect is REGRESS else kind
    return kind.FromString(at_once(steps)), run.dropped


class TestRequest:
    def test_what_is_known_goes_on(self) -> None:
        request = predicting()
        request.model_spec.version.value = 3
        asked, sent = read(PREDICT, request)
        assert sent == request
        assert (asked.query, asked.changed) == (Query("digits", inputs=2), {})
        assert (asked.set_headers, len(asked.inputs)) == (PLAIN, 2)

    def test_what_is_not_known_goes_away(self) -> None:
        request = predicting()
        request.client_id = b"s3cret"
        request.inputs["x"].resource_handle_val.add(device="s3cret")
        request.inputs["x"].tensor_shape.dim[0].name = "s3cret"
        asked, sent = read(PREDICT, request)
        assert b"s3cret" not in asked.body
        assert asked.changed == {
            "*": 1,
            "inputs[].value.*": 1,
            "inputs[].value.tensor_shape.dim[].*": 1,
        }
        assert sent == predicting()

    def test_an_output_is_asked_for_only_where_it_may_be_answered(self) -> None:
        request = predicting()
        request.output_filter.extend(["probs", "logits", "vector"])
        asked, sent = read(PREDICT, request, {"probabilities"})
        assert list(sent.output_filter) == ["probs"]
        assert asked.changed == {"output_filter": 1}
        assert read(PREDICT, request)[1] == request
        with pytest.raises(ClientError, match="None of the requested outputs"):
            read(PREDICT, request, {"label"})

    def test_a_batch_is_counted_by_the_largest_of_its_inputs(self) -> None:
        request = predicting()
        request.inputs["training"].dtype = 10
        asked, _ = read(PREDICT, request)
        assert (asked.query.inputs, len(asked.inputs)) == (2, 1)

    @pytest.mark.parametrize(
        ("request_", "why"),
        [
            (PredictRequest(), "must hold a tensor"),
            (b"\x12\x05\x0a\x01x\x12\x00" * 2, "malformed|twice"),
            (b"\xff", "malformed"),
        ],
    )
    def test_inputs_that_cannot_be_read_are_refused(self, request_: Any, why: str) -> None:
        octets = request_ if isinstance(request_, bytes) else request_.SerializeToString()
        with pytest.raises(ClientError, match=why):
            PREDICT.read(framed(octets), {}, Terms(KINDS))

    def test_an_input_stands_once(self) -> None:
        octets = predicting().SerializeToString()
        twice = PredictRequest.FromString(octets)
        twice.ClearField("model_spec")
        with pytest.raises(ClientError, match="names a tensor twice"):
            PREDICT.read(framed(octets + twice.SerializeToString()), {}, Terms(KINDS))


class TestExamples:
    def asking(self, *values: float) -> Any:
        request = ClassificationRequest()
        request.model_spec.name = "digits"
        for value in values:
            example = request.input.example_list.examples.add()
            example.features.feature["b"].float_list.value.append(value)
            example.features.feature["a"].bytes_list.value.append(b"x")
        return request

    @pytest.mark.parametrize("dialect", [CLASSIFY, REGRESS])
    def test_each_example_is_a_query(self, dialect: TensorFlowGrpc) -> None:
        request = self.asking(0.5, 0.25, 0.5)
        asked, sent = read(dialect, request)
        assert sent == request
        assert asked.query == Query("digits", inputs=3)
        first, second, third = asked.inputs
        assert first == third != second
        assert [key for key, _ in first] == ["a", "b"]

    def test_a_context_is_part_of_each(self) -> None:
        request = self.asking()
        listed = request.input.example_list_with_context
        listed.examples.add().features.feature["b"].int64_list.value.append(7)
        plain = list(read(CLASSIFY, request)[0].inputs)
        listed.context.features.feature["q"].bytes_list.value.append(b"pizza")
        asked, sent = read(CLASSIFY, request)
        assert sent == request
        assert list(asked.inputs) != plain

    def test_there_must_be_one_list_of_them(self) -> None:
        for request in (ClassificationRequest(), self.asking()):
            with pytest.raises(ClientError, match="one list of examples"):
                read(CLASSIFY, request)
        empty = ClassificationRequest()
        empty.input.example_list.SetInParent()
        with pytest.raises(ClientError, match="must hold examples"):
            read(CLASSIFY, empty)

    def test_what_an_example_hides_goes(self) -> None:
        # An unknown field of the feature, within the example.
        feature = b"\x0a\x01b\x12\x0a\x22\x08" + b"s3cret__"
        example = b"\x0a" + bytes([len(feature) + 2]) + b"\x0a" + bytes([len(feature)]) + feature
        listed = b"\x0a" + bytes([len(example)]) + example
        octets = b"\x12" + bytes([len(listed) + 2]) + b"\x0a" + bytes([len(listed)]) + listed
        asked = CLASSIFY.read(framed(octets), {}, Terms(KINDS))
        assert b"s3cret" not in asked.body
        assert sum(asked.changed.values()) == 1


class TestPredict:
    def answering(self) -> Any:
        answer = PredictResponse()
        answer.model_spec.name = "digits-s3cret"
        answer.model_spec.version.value = 31337
        answer.model_spec.signature_name = "serving_default"
        fill(answer.outputs["probs"], 0.5, 0.25, shape=(1, 2))
        fill(answer.outputs["logits"], 31337.0)
        answer.outputs["class"].dtype = 9
        answer.outputs["class"].int64_val.append(7)
        answer.outputs["class"].tensor_shape.dim.add(size=1, name="s3cret")
        return answer

    def test_what_the_tier_does_not_name_does_not_pass(self) -> None:
        edits = tier({"probabilities": [LabelOnly()], "label": []})
        left, dropped = shown(PREDICT, self.answering(), edits)
        assert left.outputs.keys() == {"probs", "class"}
        assert list(left.outputs["probs"].float_val) == [1, 0]
        assert list(left.outputs["class"].int64_val) == [7]
        assert (left.model_spec.name, left.model_spec.HasField("version")) == (MODEL, False)
        assert left.model_spec.signature_name == "serving_default"
        assert dropped == {
            "model_spec.name": 1,
            "model_spec.version": 1,
            "outputs[](tensor)": 1,
            "outputs[].value.tensor_shape.dim[].*": 1,
        }

    def test_identity_passes_where_it_is_granted(self) -> None:
        answer = self.answering()
        answer.outputs["class"].tensor_shape.dim[0].ClearField("name")
        assert shown(PREDICT, answer, OPEN)[0] == answer
        labelled = PredictResponse()
        labelled.model_spec.version_label = "s3cret"
        assert shown(PREDICT, labelled, OPEN)[0] == labelled
        assert not shown(PREDICT, labelled, {})[0].model_spec.version_label
        assert shown(PREDICT, PredictResponse(), OPEN)[0] == PredictResponse()

    def test_an_output_stands_once(self) -> None:
        octets = self.answering().SerializeToString()
        twice = PredictResponse()
        fill(twice.outputs["probs"], 31337.0)
        with pytest.raises(UpstreamError, match="twice"):
            shown(PREDICT, octets + twice.SerializeToString(), OPEN)

    def test_an_answer_that_cannot_be_read_does_not_pass(self) -> None:
        answer = PredictResponse()
        answer.outputs["probs"].dtype = 20
        for octets in (b"\xff", answer.SerializeToString()):
            with pytest.raises(UpstreamError):
                shown(PREDICT, octets, OPEN)


class TestClassify:
    def answering(self, *rows: list[tuple[str, float]]) -> Any:
        answer = ClassificationResponse()
        answer.model_spec.name = MODEL
        for row in rows:
            one = answer.result.classifications.add()
            for label, score in row:
                one.classes.add(label=label, score=score)
        return answer

    ROWS = (
        [("cat", 0.25), ("dog", 0.625), ("", 0.125)],
        [("cat", 0.75), ("dog", 0.0), ("emu", 0.25)],
    )

    def classes(
        self, edits: Edits, *rows: list[tuple[str, float]]
    ) -> list[list[tuple[str, float]]]:
        left, _ = shown(CLASSIFY, self.answering(*(rows or self.ROWS)), edits)
        return [
            [(one.label, one.score) for one in row.classes] for row in left.result.classifications
        ]

    def test_what_needs_no_change_is_unchanged(self) -> None:
        answer = self.answering(*self.ROWS)
        assert shown(CLASSIFY, answer, OPEN) == (answer, {})
        assert shown(CLASSIFY, ClassificationResponse(), {})[0] == ClassificationResponse()
        assert self.classes({}, []) == [[]]

    def test_a_class_that_is_dropped_leaves_with_its_label(self) -> None:
        edits = tier({"probabilities": [TopK(k=1)], "label": []})
        assert self.classes(edits) == [[("dog", 0.625)], [("cat", 0.75), ("dog", 0.0)]]

    def test_without_scores_the_best_label_alone_is_told(self) -> None:
        assert self.classes({"label": None}) == [[("dog", 0.0)], [("cat", 0.0)]]

    def test_without_labels_scores_are_told_alone(self) -> None:
        edits = tier({"probabilities": [Round(digits=1)]})
        labels, scores = zip(*self.classes(edits)[0], strict=True)
        assert labels == ("", "", "")
        assert scores == pytest.approx((0.3, 0.6, 0.1))

    def test_without_either_nothing_is_told(self) -> None:
        left, dropped = shown(CLASSIFY, self.answering(*self.ROWS), {})
        assert [len(row.classes) for row in left.result.classifications] == [0, 0]
        place = "result.classifications[].classes[]"
        assert dropped == {f"{place}.label": 2, f"{place}.score": 2}

    def test_what_a_mutator_withholds_leaves_whole(self) -> None:
        assert self.classes({"probabilities": lambda *_: None, "label": None}) == [[], []]

    def test_logits_are_no_probabilities(self) -> None:
        for score in (31337.0, -1.0, float("nan")):
            with pytest.raises(UpstreamError, match="declared probabilities"):
                self.classes(OPEN, [("cat", score)])

    def test_each_row_draws_for_its_example(self) -> None:
        draws = Draws(Draw(b"k"), [b"0", b"1"])
        seen: list[bytes] = []

        def watch(source: Source | None, prediction: Prediction) -> Prediction:
            assert source is not None
            seen.append(source.input.key)
            return prediction

        shown(CLASSIFY, self.answering(*self.ROWS), {"probabilities": watch}, draws)
        assert seen == [draws.of(0).input.key, draws.of(1).input.key]


class TestRegress:
    def answering(self, *values: float) -> Any:
        answer = RegressionResponse()
        for value in values:
            answer.result.regressions.add(value=value)
        return answer

    def test_values_are_scores(self) -> None:
        answer = self.answering(1.25, 0.0, -7.75)
        assert shown(REGRESS, answer, OPEN) == (answer, {})
        left, _ = shown(REGRESS, answer, tier({"score": [Round(digits=0)]}))
        assert [one.value for one in left.result.regressions] == [1, 0, -8]

    def test_without_scores_nothing_is_told(self) -> None:
        for edits in ({}, {"score": lambda *_: None}):
            left, dropped = shown(REGRESS, self.answering(31337.0), edits)  # type: ignore[arg-type]
            assert left == RegressionResponse()
            assert dropped == {"result.regressions[]": 1}

    def test_no_values_are_none(self) -> None:
        assert shown(REGRESS, RegressionResponse(), {})[0] == RegressionResponse()


def test_it_is_routed_by_the_call_it_reads() -> None:
    assert CLASSIFY.paths() == ("/tensorflow.serving.PredictionService/Classify",)


def test_a_large_answer_is_rewritten_in_steps() -> None:
    answer = PredictResponse()
    fill(answer.outputs["probs"], *[0.25] * 160_000, shape=(40_000, 4))
    frames = PREDICT.answers()["application/grpc"]
    assert isinstance(frames, Frames)
    run = Rewrite(tier({"probabilities": [Round(digits=1)]}), MODEL)
    steps: Any = frames.message.rewrite(answer.SerializeToString(), run)
    assert sum(1 for _ in steps) > 3
    assert np.isfinite(answer.outputs["probs"].float_val).all()


def test_only_their_places_name_the_classes_of_declared_probabilities() -> None:
    assert TensorFlowGrpc(outputs={"probs": "probabilities"}).positional()
    assert TensorFlowGrpc(call="Classify").positional()
    assert not TensorFlowGrpc(call="Regress").positional()


def test_the_tensors_that_are_asked_about_are_told_by_name() -> None:
    asked, _ = read(PREDICT, predicting())
    (tensor,) = asked.tensors
    assert (tensor.name, tensor.datatype, list(tensor.shape)) == ("x", "FP32", [2])
    assert tensor.elements().tolist() == [0.5, 0.25]
