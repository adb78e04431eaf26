"""Scores of moderation: each category by itself, so that two may be certain."""

from typing import Any

import orjson
import pytest

from extproc.dialects.openai_scores import CATEGORIES, MODERATED, MODERATION, SCORE, number
from extproc.dialects.shape import Rewrite
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators import Drop, Round
from extproc.prediction import Embedding, Prediction
from tests.dialects.tiers import OPEN, is_untouched, served, tier

RESULT: dict[str, Any] = {
    "flagged": True,
    "categories": {"violence": True, "hate": True},
    "category_scores": {"violence": 0.9712345, "hate": 0.9612345, "self-harm": 1e-5},
}


def test_every_category_is_rounded_by_itself_and_the_sum_may_be_above_one() -> None:
    shown, dropped = served(MODERATED, orjson.dumps(RESULT), tier({"score": [Round(digits=1)]}))
    assert shown["category_scores"] == {"violence": 1.0, "hate": 1.0, "self-harm": 0.0}
    assert dropped == {"flagged": 1, "categories": 1}


def test_without_scores_the_object_is_null_and_flags_are_labels() -> None:
    shown, _ = served(MODERATED, orjson.dumps(RESULT), {"label": None})
    assert shown == RESULT | {"category_scores": None}


def test_a_category_that_is_not_known_does_not_pass() -> None:
    odd = {"categories": {"novelty": True}, "category_scores": {"novelty": 0.31337}}
    assert served(MODERATED, orjson.dumps(odd), OPEN)[0] == {
        "categories": {},
        "category_scores": {},
    }
    assert len(CATEGORIES) == 13


def test_a_judgement_stands_alone_or_in_results() -> None:
    for judged in (RESULT, {"type": "moderation_results", "results": [RESULT]}):
        assert is_untouched(MODERATION, orjson.dumps({"input": judged, "output": judged}), OPEN)


def test_a_score_that_a_mutator_withholds_is_taken_out() -> None:
    edits = tier({"score": [Drop()]})
    assert served(MODERATED, orjson.dumps(RESULT), edits)[0] == {"category_scores": {}}


@pytest.mark.parametrize("wrong", ["0.5", True, [0.5], {"a": 0.5}, float("inf"), float("nan")])
def test_a_score_is_a_finite_number(wrong: Any) -> None:
    with pytest.raises(UpstreamError, match="violence is not a finite number"):
        number(wrong, "violence")


def test_a_mutator_that_answers_with_another_kind_is_our_own_fault() -> None:
    def confused(_source: Source | None, prediction: Prediction) -> Prediction:
        return Embedding([1.0])  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="Embedding"):
        SCORE.rewrite(0.5, Rewrite({"score": confused}, "m"), "score")
