"""TensorFlow Serving and KServe v1 over REST: three verbs, rows and columns."""

from typing import Any

import orjson
import pytest

from extproc.dialects import TensorFlowREST
from extproc.dialects.gate import Terms
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import LabelOnly, Round, TopK
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.tiers import OPEN, Edits, is_untouched, served, tier

TENSORFLOW = TensorFlowREST(
    outputs={"probs": "probabilities", "class": "label", "vector": "embedding", "price": "score"},
    output="probabilities",
)
ANSWER = TENSORFLOW.answer()
LABELS: Edits = {"label": None}
TOPS: Edits = {**LABELS, **tier({"probabilities": [LabelOnly()], "score": [Round(digits=0)]})}


def rewritten(name: str, edits: Edits) -> Any:
    return served(ANSWER, body(f"tensorflow_rest/{name}.json"), edits)[0]


class TestRequest:
    @pytest.mark.parametrize("name", ["row", "column", "classify"])
    def test_every_verb_counts_its_inputs(self, name: str) -> None:
        original = body(f"tensorflow_rest/request_{name}.json")
        terms = Terms(())
        models = TensorFlowREST(signatures=("serving_default", "classify_sum"))
        asked = models.read(original, {"model": "m"}, terms)
        assert asked.body is original
        assert asked.query == Query("m", inputs=2)
        assert len(asked.inputs) == 2

    @pytest.mark.parametrize("name", ["logits", "embeddings", "", 7])
    def test_another_signature_is_refused(self, name: Any) -> None:
        asked = orjson.dumps({"signature_name": name, "instances": [1]})
        with pytest.raises(ClientError, match="'signature_name'"):
            TENSORFLOW.read(asked, {}, Terms(()))

    def test_no_signature_is_the_models_own(self) -> None:
        asked = orjson.dumps({"signature_name": None, "instances": [1]})
        assert TENSORFLOW.read(asked, {}, Terms(())).body is asked

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"instances": []},
            {"instances": {"a": 1}},
            {"instances": [1], "inputs": [1]},
            {"instances": [1], "output_filter": ["logits"]},
            {"instances": [1], "parameters": {"return_scores": True}},
            {"inputs": {}},
            {"inputs": {"a": []}},
            {"examples": 5},
        ],
    )
    def test_what_cannot_be_counted_or_is_not_known_is_refused(self, wrong: Any) -> None:
        with pytest.raises(ClientError):
            TENSORFLOW.read(orjson.dumps(wrong), {}, Terms(()))


class TestAnswer:
    @pytest.mark.parametrize("document", answers("tensorflow_rest"))
    def test_what_is_declared_is_untouched(self, document: bytes) -> None:
        known, _ = served(ANSWER, document, OPEN)
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)

    def test_rows(self) -> None:
        assert rewritten("answer_row", TOPS)["predictions"] == [
            {"probs": [1, 0, 0], "class": "tabby", "price": 4},
            {"probs": [0, 0, 1], "class": "lynx", "price": 10},
        ]
        assert rewritten("answer_row", LABELS)["predictions"] == [
            {"class": "tabby"},
            {"class": "lynx"},
        ]
        assert rewritten("answer_row_unnamed", TOPS) == {"predictions": [[1, 0, 0], [0, 0, 1]]}
        assert rewritten("answer_row_unnamed", LABELS) == {"predictions": []}

    def test_columns(self) -> None:
        assert rewritten("answer_column", TOPS)["outputs"] == {
            "probs": [[1, 0, 0], [0, 0, 1]],
            "class": ["tabby", "lynx"],
        }
        assert rewritten("answer_column", LABELS) == {"outputs": {"class": ["tabby", "lynx"]}}
        assert rewritten("answer_column_unnamed", TOPS) == {"outputs": [[1, 0, 0], [0, 0, 1]]}
        assert rewritten("answer_column_unnamed", LABELS) == {}

    def test_classes(self) -> None:
        first = tier({"probabilities": [TopK(k=1)]})
        assert rewritten("answer_classify", {**LABELS, **first})["results"] == [
            [["tabby", 0.7]],
            [["lynx", 0.9]],
        ]
        assert rewritten("answer_classify", LABELS)["results"] == [
            [["tabby", None]],
            [["lynx", None]],
        ]

    def test_regressions(self) -> None:
        assert rewritten("answer_regress", TOPS) == {"results": [1, 8]}
        assert rewritten("answer_regress", LABELS) == {"results": []}

    def test_a_failure_does_not_pass(self) -> None:
        with pytest.raises(UpstreamError, match="reports an error"):
            rewritten("failure", OPEN)

    @pytest.mark.parametrize(
        "document",
        [
            {"predictions": [{"probs": [2.5, 0.5]}]},
            {"predictions": [{"class": "0.93:1:cat"}]},
            {"predictions": [{"class": {"b64": "AAAA"}}]},
            {"predictions": {"probs": [0.5]}},
            {"results": [[["a", 0.5, 1]]]},
            {"results": ["a"]},
            [],
        ],
    )
    def test_another_shape_is_unreadable(self, document: Any) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, orjson.dumps(document), OPEN)

    def test_a_policy_may_name_a_further_field(self) -> None:
        tree = TensorFlowREST(allow_response=("predictions.key", "outputs.id")).answer()
        document = orjson.dumps({"predictions": [{"key": 1}], "outputs": {"id": [1]}})
        assert is_untouched(tree, document, OPEN)


def test_an_error_is_worded_as_tensorflow_words_it() -> None:
    assert orjson.loads(TENSORFLOW.error(UNKNOWN_MODEL)) == {"error": UNKNOWN_MODEL.message}
