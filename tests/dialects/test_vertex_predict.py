"""Vertex AI's prediction: AutoML's shapes, and declared ones."""

from typing import Any

import orjson
import pytest

from extproc.dialects import VertexPredict
from extproc.dialects.gate import Terms
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Round, TopK
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_MODEL, UPSTREAM_UNREADABLE
from tests.corpus import answers, body
from tests.dialects.tiers import OPEN, Edits, is_untouched, served, tier

VERTEX = VertexPredict()
ANSWER = VERTEX.answer()
LABELS: Edits = {"label": None}


def rewritten(name: str, edits: Edits) -> Any:
    return served(ANSWER, body(f"vertex_predict/{name}.json"), edits)[0]


class TestRequest:
    def test_a_threshold_never_goes_on(self) -> None:
        original = body("vertex_predict/request.json")
        asked = VERTEX.read(original, {"model": "m"}, Terms({"probabilities"}))
        sent = orjson.loads(asked.body)
        assert asked.query == Query("m", inputs=2)
        assert sent["parameters"] == {"maxPredictions": 5}
        assert asked.changed == {"parameters.confidenceThreshold": 1}
        shut = VERTEX.read(original, {}, Terms({"label"}))
        assert orjson.loads(shut.body)["parameters"] == {}

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"instances": []},
            {"instances": {"a": 1}},
            {"instances": [1], "parameters": {"explain": True}},
            {"instances": [1], "deployedModelId": "7"},
            {"instances": [1], "explanationSpecOverride": {}},
        ],
    )
    def test_what_is_not_known_is_refused(self, wrong: Any) -> None:
        with pytest.raises(ClientError):
            VERTEX.read(orjson.dumps(wrong), {}, Terms(()))


class TestAnswer:
    @pytest.mark.parametrize("document", answers("vertex_predict"))
    def test_what_is_known_is_untouched(self, document: bytes) -> None:
        known, dropped = served(ANSWER, document, OPEN)
        assert dropped == {"*": 1}  # metadata
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)

    def test_who_answers_is_identity(self) -> None:
        for name in ("image", "table", "regression", "sentiment"):
            after = rewritten(f"answer_{name}", {**LABELS, "probabilities": None, "score": None})
            assert after.keys() == {"predictions"}
            assert "s3cret" not in str(after)

    def test_labels_alone_are_the_first_class(self) -> None:
        assert rewritten("answer_image", LABELS)["predictions"] == [
            {"ids": [], "displayNames": ["tabby"]}
        ]
        tables = rewritten("answer_table", LABELS)["predictions"]
        assert tables == [{"classes": ["yes"]}, {"classes": ["no"]}]
        assert rewritten("answer_sentiment", LABELS)["predictions"] == [{"sentiment": 4}]
        assert rewritten("answer_regression", LABELS)["predictions"] == [{}]

    def test_every_number_is_served_at_the_tier(self) -> None:
        edits: Edits = {
            **LABELS,
            "identity": None,
            **tier({"probabilities": [TopK(k=1)], "score": [Round(digits=0)]}),
        }
        assert rewritten("answer_image", edits)["predictions"] == [
            {"ids": ["s3cret-1"], "displayNames": ["tabby"], "confidences": [0.75]}
        ]
        regression = rewritten("answer_regression", edits)["predictions"]
        assert regression == [{"value": 27, "lower_bound": 20, "upper_bound": 31}]

    def test_confidences_of_several_labels_are_declared_as_scores(self) -> None:
        many = {"predictions": [{"displayNames": ["a", "b"], "confidences": [0.9, 0.8]}]}
        with pytest.raises(UpstreamError, match="declared probabilities"):
            served(ANSWER, orjson.dumps(many), OPEN)
        declared = VertexPredict(outputs={"displayNames": "label", "confidences": "score"})
        assert is_untouched(declared.answer(), orjson.dumps(many), OPEN)

    def test_a_model_of_ones_own_is_declared(self) -> None:
        tree = VertexPredict(output="score").answer()
        after, _ = served(
            tree, b'{"predictions":[0.77,[1.25]]}', tier({"score": [Round(digits=1)]})
        )
        assert after == {"predictions": [0.8, [1.2]]}

    def test_a_failure_does_not_pass(self) -> None:
        with pytest.raises(UpstreamError, match="reports an error"):
            served(ANSWER, b'{"error":{"code":400,"message":"s3cret"}}', OPEN)


def test_an_error_is_worded_as_google_words_it() -> None:
    for refusal, status in ((UNKNOWN_MODEL, "NOT_FOUND"), (UPSTREAM_UNREADABLE, "INTERNAL")):
        error = {"code": refusal.status, "message": refusal.message, "status": status}
        assert orjson.loads(VERTEX.error(refusal)) == {"error": error}
