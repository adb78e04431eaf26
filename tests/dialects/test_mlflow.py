"""MLflow's scoring server: four ways to ask, and CSV."""

from typing import Any

import orjson
import pytest

from extproc.dialects import MLflow
from extproc.dialects.gate import Terms
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import LabelOnly
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_MODEL, UPSTREAM_UNREADABLE
from tests.corpus import answers, body
from tests.dialects.tiers import OPEN, Edits, is_untouched, served, tier

MLFLOW = MLflow(outputs={"probs": "probabilities", "class": "label"}, output="probabilities")
ANSWER = MLFLOW.answer()
LABELS: Edits = {"label": None}
TOPS: Edits = {**LABELS, **tier({"probabilities": [LabelOnly()]})}


def rewritten(name: str, edits: Edits) -> Any:
    return served(ANSWER, body(f"mlflow/{name}.json"), edits)[0]


class TestRequest:
    @pytest.mark.parametrize("name", ["split", "records", "instances", "inputs"])
    def test_every_way_to_ask_is_counted(self, name: str) -> None:
        original = body(f"mlflow/request_{name}.json")
        asked = MLFLOW.read(original, {"content-type": "application/json"}, Terms(()))
        assert asked.body is original
        assert asked.query == Query("", inputs=2)
        assert len(asked.inputs) == 2

    def test_csv_has_a_line_of_names(self) -> None:
        original = b"a,b\n1.5,x\n2.5,y\n"
        fields = {"content-type": "text/csv; charset=utf-8", "model": "m"}
        asked = MLFLOW.read(original, fields, Terms(()))
        assert asked.body is original
        assert asked.query == Query("m", inputs=2)
        assert asked.inputs == [[1.5, "x"], [2.5, "y"]]

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"instances": [1], "inputs": [1]},
            {"instances": []},
            {"dataframe_split": {"columns": ["a"]}},
            {"dataframe_split": [1]},
            {"dataframe_split": {"data": [[1]], "more": 1}},
            {"dataframe_records": {"a": 1}},
            {"inputs": {}},
            {"instances": [1], "params": {"predict_method": "predict_proba"}},
        ],
    )
    def test_what_cannot_be_counted_or_is_not_known_is_refused(self, wrong: Any) -> None:
        with pytest.raises(ClientError):
            MLFLOW.read(orjson.dumps(wrong), {}, Terms(()))

    def test_parameters_pass_where_the_policy_names_them(self) -> None:
        asked = orjson.dumps({"instances": [1], "params": {"a": 1}})
        assert MLflow(allow_request=("params",)).read(asked, {}, Terms(())).body is asked


class TestAnswer:
    @pytest.mark.parametrize("document", answers("mlflow"))
    def test_what_is_declared_is_untouched(self, document: bytes) -> None:
        assert is_untouched(ANSWER, document, OPEN)

    def test_rows_and_columns(self) -> None:
        assert rewritten("answer_vector", TOPS) == {"predictions": [[0, 1], [1, 0]]}
        assert rewritten("answer_records", LABELS) == {
            "predictions": [{"class": "cat"}, {"class": "dog"}]
        }
        assert rewritten("answer_columns", TOPS) == {
            "predictions": {"probs": [[0, 1], [1, 0]], "class": ["cat", "dog"]}
        }

    def test_one_number_is_one_prediction(self) -> None:
        tree = MLflow(output="score").answer()
        assert is_untouched(tree, b'{"predictions":3.5}', {"score": None})

    def test_a_failure_does_not_pass(self) -> None:
        with pytest.raises(UpstreamError, match="reports an error"):
            served(ANSWER, b'{"error_code":"BAD_REQUEST","message":"s3cret"}', OPEN)


def test_an_error_is_worded_as_mlflow_words_it() -> None:
    for refusal, code in (
        (UNKNOWN_MODEL, "RESOURCE_DOES_NOT_EXIST"),
        (UPSTREAM_UNREADABLE, "INTERNAL_ERROR"),
    ):
        expected = {"error_code": code, "message": refusal.message}
        assert orjson.loads(MLFLOW.error(refusal)) == expected
