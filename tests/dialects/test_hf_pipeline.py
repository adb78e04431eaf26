"""Hugging Face pipelines: by task, what a request may ask for and what of an answer passes."""

from typing import Any, get_args

import msgspec
import orjson
import pytest

from extproc.dialects import HfPipeline
from extproc.dialects.gate import Terms
from extproc.dialects.hf_pipeline import Task
from extproc.errors import UpstreamError
from extproc.mutators import LabelOnly, Quantize, Round
from extproc.prediction import KINDS, Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.tiers import OPEN, tier
from tests.dialects.ways import GRANTED, Swept, goes_on_as_it_is, keep_the_laws, left, refusing

TASKS: tuple[Task, ...] = get_args(Task)
PIPELINE = HfPipeline(model="m")


def of(task: Task, **more: Any) -> HfPipeline:
    return HfPipeline(task=task, **more)


@pytest.mark.parametrize("task", TASKS)
def test_real_answers_keep_the_laws(task: Task) -> None:
    keep_the_laws(of(task), f"hf_{task}")


def test_features_that_are_declared_embeddings_keep_the_laws() -> None:
    keep_the_laws(of("feature_extraction", holds="embedding"), "hf_feature_extraction")


class TestRequest:
    def test_a_request_of_known_fields_goes_on_as_it_is(self) -> None:
        goes_on_as_it_is(PIPELINE, "hf_classification/request.json")
        goes_on_as_it_is(of("feature_extraction"), "hf_feature_extraction/request.json")

    @pytest.mark.parametrize(
        ("inputs", "count"),
        [("a", 1), (["a", "b"], 2), ({"text": "a", "text_pair": "b"}, 1), ([{"text": "a"}] * 3, 3)],
    )
    def test_every_input_is_a_query(self, inputs: Any, count: int) -> None:
        asked = PIPELINE.read(orjson.dumps({"inputs": inputs}), {}, GRANTED)
        assert asked.query == Query("m", inputs=count)
        assert len(asked.inputs) == count
        named = PIPELINE.read(orjson.dumps({"inputs": inputs}), {"model": "n"}, GRANTED)
        assert named.query.model == "n"

    @pytest.mark.parametrize("inputs", [None, 7, [], {}, [["a"]], [1], {"a": ["b"]}, {"a": 1}])
    def test_what_has_no_inputs_is_refused(self, inputs: Any) -> None:
        assert "'inputs'" in refusing(PIPELINE, {"inputs": inputs})

    @pytest.mark.parametrize("function", ["none", "NONE", "default", "", False])
    def test_logits_are_refused_by_whatever_name(self, function: Any) -> None:
        for task in TASKS:
            asked = {"inputs": "a", "parameters": {"function_to_apply": function}}
            assert "function_to_apply" in refusing(of(task), asked)
        for harmless in ("softmax", "sigmoid", None):
            asked = {"inputs": "a", "parameters": {"function_to_apply": harmless}}
            assert not refusing(PIPELINE, asked)

    @pytest.mark.parametrize("name", ["top_k", "return_all_scores"])
    def test_further_classes_are_asked_for_only_where_they_are_granted(self, name: str) -> None:
        original = orjson.dumps({"inputs": "a", "parameters": {name: 5}})
        asked = PIPELINE.read(original, {}, Terms({"label"}))
        assert orjson.loads(asked.body) == {"inputs": "a", "parameters": {}}
        assert PIPELINE.read(original, {}, Terms({"probabilities"})).body is original
        several = of("multi_label_classification")
        assert orjson.loads(several.read(original, {}, Terms({"probabilities"})).body) != original
        assert several.read(original, {}, Terms({"score"})).body is original

    def test_lengths_are_refused_wherever_they_are_asked_for(self) -> None:
        features = of("feature_extraction")
        for asked in ({"normalize": False}, {"parameters": {"normalize": False}}):
            assert "normalize" in refusing(features, {"inputs": "a", **asked})
            assert refusing(PIPELINE, {"inputs": "a", **asked})

    def test_a_threshold_that_would_tell_scores_exactly_does_not_go_on(self) -> None:
        asked = orjson.dumps({"inputs": "a", "parameters": {"threshold": 0.01}})
        sent = of("object_detection").read(asked, {}, Terms(KINDS))
        assert orjson.loads(sent.body) == {"inputs": "a", "parameters": {}}
        assert sent.changed == {"parameters.threshold": 1}

    def test_a_parameter_of_another_task_is_refused(self) -> None:
        asked = {"inputs": "a", "parameters": {"threshold": 0.01}}
        assert not refusing(of("object_detection"), asked)
        assert "parameters.threshold" in refusing(PIPELINE, asked)


class TestAnswer:
    @pytest.mark.parametrize("document", answers("hf_classification"))
    def test_labels_are_served_at_the_tier(self, document: bytes) -> None:
        served = left(PIPELINE.answer(), document, OPEN | tier({"probabilities": [LabelOnly()]}))
        top = [{"label": "POSITIVE", "score": 1.0}]
        assert served in (top, [top])

    def test_independent_labels_have_scores_of_their_own(self) -> None:
        document = body("hf_multi_label_classification/answer.json")
        with pytest.raises(UpstreamError):
            left(PIPELINE.answer(), document, OPEN)
        edits = OPEN | tier({"score": [Round(digits=0)]})
        served = left(of("multi_label_classification").answer(), document, edits)
        assert [entry["score"] for entry in served[0]] == [1.0, 1.0, 0.0]

    @pytest.mark.parametrize("task", ["token_classification", "object_detection"])
    def test_each_find_has_a_score_of_its_own(self, task: Task) -> None:
        for document in answers(f"hf_{task}"):
            served = left(of(task).answer(), document, OPEN | tier({"score": [Round(digits=1)]}))
            finds = served[0] if isinstance(served[0], list) else served
            assert {find["score"] for find in finds} == {1.0}

    def test_features_are_tensors_unless_the_route_declares_them(self) -> None:
        edits = OPEN | tier({"embedding": [Quantize(bits=1)]})
        for document in answers("hf_feature_extraction"):
            value = orjson.loads(document)
            assert left(of("feature_extraction").answer(), document, edits) == value
            del (only := dict(edits))["tensor"]
            assert "0.25" not in str(left(of("feature_extraction").answer(), document, only))
            declared = of("feature_extraction", holds="embedding").answer()
            assert left(declared, document, edits) != value

    @pytest.mark.parametrize("task", TASKS)
    @pytest.mark.parametrize("wrong", [b'"a"', b"7", b'["a"]', b"[[[[[[0.5]]]]]]"])
    def test_another_shape_is_unreadable(self, task: Task, wrong: bytes) -> None:
        with pytest.raises(UpstreamError):
            left(of(task).answer(), wrong, OPEN)


@pytest.mark.parametrize(
    ("case", "left_over"),
    [
        ("classification", [{"label": "love", "score": None}]),
        ("classification_batch", [[{"label": "love", "score": None}]]),
        ("multi_label", [[{"label": "a", "score": None}, {"label": "b", "score": None}]]),
        (
            "tokens",
            [
                {"entity_group": "PER", "score": None, "word": "W", "start": 1, "end": 2},
                {"entity": "LOC", "score": None, "index": 1, "word": "B"},
            ],
        ),
        (
            "detection",
            [{"label": "cat", "score": None, "box": {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}}],
        ),
        ("features", [[None, None]]),
        ("features_embedding", [None, None]),
        ("speech", {"text": "Hi", "chunks": [{"text": "Hi", "timestamp": [0.0, 0.5]}]}),
    ],
)
def test_who_may_see_text_and_labels_sees_nothing_else(case: str, left_over: Any) -> None:
    assert orjson.loads(Swept.read(f"hf_pipeline_{case}").served()) == left_over


def test_a_task_is_one_of_those_it_knows() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "hf_pipeline", "task": "text-generation"}, HfPipeline)


def test_an_error_is_a_message() -> None:
    assert orjson.loads(PIPELINE.error(UNKNOWN_MODEL)) == {"error": UNKNOWN_MODEL.message}
