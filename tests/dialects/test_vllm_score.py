"""Scores of pairs: every pair is a query, and its number is of the kind ``score``."""

from typing import Any

import orjson
import pytest

from extproc.canonical import digest
from extproc.dialects import VllmScore
from extproc.mutators import Round
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import body
from tests.dialects.tiers import OPEN, tier
from tests.dialects.ways import GRANTED, Swept, goes_on_as_it_is, keep_the_laws, left, refusing

SCORE = VllmScore()


def test_real_answers_keep_the_laws_and_a_known_request_goes_on_as_it_is() -> None:
    keep_the_laws(SCORE, "vllm_score")
    goes_on_as_it_is(SCORE, "vllm_score/request.json")


@pytest.mark.parametrize(
    ("texts", "pairs"),
    [
        ({"text_1": "a", "text_2": "b"}, 1),
        ({"text_1": "a", "text_2": ["b", "c", "d"]}, 3),
        ({"text_1": ["a"], "text_2": ["b", "c"]}, 2),
        ({"data_1": ["a", "b"], "data_2": ["c", "d"]}, 2),
        ({"queries": {"content": []}, "documents": [{"content": []}, "c"]}, 2),
        ({"queries": "a", "items": ["b"]}, 1),
    ],
)
def test_every_pair_is_a_query(texts: dict[str, Any], pairs: int) -> None:
    asked = SCORE.read(orjson.dumps({"model": "m", **texts}), {}, GRANTED)
    assert asked.query == Query("m", inputs=pairs)
    assert len(set(map(digest, asked.inputs))) == pairs


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"text_1": "a"},
        {"text_2": "a"},
        {"text_1": "a", "documents": "b"},
        {"text_1": "a", "text_2": "b", "queries": "c"},
        {"text_1": ["a", "b"], "text_2": "c"},
        {"text_1": ["a", "b"], "text_2": ["c", "d", "e"]},
        {"text_1": [], "text_2": ["c"]},
        {"text_1": "a", "text_2": [1]},
        {"text_1": None, "text_2": "a"},
    ],
)
def test_texts_that_do_not_pair_up_are_refused(texts: dict[str, Any]) -> None:
    assert "text_1" in refusing(SCORE, {"model": "m", **texts}) or texts["text_2"] == [1]
    assert refusing(SCORE, {"model": "m", **texts})


def test_scores_are_served_at_the_tier() -> None:
    document = body("vllm_score/answer.json")
    served = left(SCORE.answer(), document, OPEN | tier({"score": [Round(digits=2)]}))
    assert [item["score"] for item in served["data"]] == [1.0, 0.0]


@pytest.mark.parametrize("name", ["score", "v1"])
def test_who_may_see_labels_alone_sees_that_there_are_scores(name: str) -> None:
    served = orjson.loads(Swept.read(f"vllm_score_{name}").served())
    assert [item["score"] for item in served["data"]] == [None, None]
    assert [item["index"] for item in served["data"]] == [0, 1]


def test_an_error_has_openais_shape() -> None:
    assert orjson.loads(SCORE.error(UNKNOWN_MODEL))["error"]["code"] == "model_not_found"
