"""Tokens with their log probabilities: what mutators read, and how it is written back."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.shape import ABSENT, Items, Leaf, Rewrite
from extproc.dialects.token_logprobs import ENTRY, logprobs
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators import LabelOnly, Mutator, Round, TopK
from extproc.prediction import Prediction, Score
from tests.dialects.tiers import Edits, tier

TREE = Items(Leaf("logprobs", logprobs, ENTRY))


def token(text: str, logprob: float, **more: Any) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, **more}


def shown(value: Any, *mutators: Mutator, edits: Edits | None = None) -> Any:
    run = Rewrite(tier({"logprobs": mutators}) if edits is None else edits, "m")
    left = TREE.rewrite([value], run, "")
    return left[0] if left else ABSENT


def test_token_and_alternatives_are_rewritten_together() -> None:
    others = [token("a", -0.4), token("b", -1.2)]
    assert shown(token("a", -0.4, top_logprobs=others), TopK(k=1), Round(digits=1)) == token(
        "a", round(math.log(0.7), 4), top_logprobs=[token("a", round(math.log(0.7), 4))]
    )


@pytest.mark.parametrize(
    "more", [{}, {"bytes": None}, {"bytes": [97]}, {"top_logprobs": None}, {"top_logprobs": []}]
)
def test_what_was_there_is_there_again_and_nothing_else(more: dict[str, Any]) -> None:
    left = shown(token("a", -0.4, **more), Round(digits=1))
    assert left == token("a", round(math.log(0.7), 4), **more)
    assert [*left] == [*token("a", -0.4, **more)]
    kept = token("a", -0.4, **more)
    assert shown(kept) is kept


def test_bytes_of_alternatives_follow_their_token() -> None:
    value = token("a", -1, bytes=[97], top_logprobs=[token("b", -2, bytes=[98]), token("c", -3)])
    left = shown(value, Round(digits=1))
    assert [other["bytes"] for other in left["top_logprobs"]] == [[98], None]


def test_unknown_fields_go_before_a_mutator_sees_them() -> None:
    run = Rewrite({"logprobs": None}, "m")
    value = token("a", -1, rank=1, top_logprobs=[token("b", -2, rank=2)])
    assert TREE.rewrite([value], run, "x") == [token("a", -1, top_logprobs=[token("b", -2)])]
    assert run.dropped == {"x[].*": 1, "x[].top_logprobs[].*": 1}


def test_a_token_goes_where_the_tier_says_so() -> None:
    assert shown(token("a", -1), LabelOnly()) is ABSENT
    assert shown(token("a", -1), edits={}) is ABSENT


@pytest.mark.parametrize(
    "wrong",
    [
        7,
        "s3cret",
        [],
        {},
        {"token": "s3cret"},
        {"token": 7, "logprob": -1},
        token("s3cret", True),
        {"token": "s3cret", "logprob": "-1"},
        token("s3cret", -1, bytes="s3cret"),
        token("s3cret", -1, bytes=[256]),
        token("s3cret", -1, bytes=[True]),
        token("a", -1, top_logprobs={}),
        token("a", -1, top_logprobs=[7]),
        token("a", -1, top_logprobs=[{"token": "s3cret"}]),
    ],
)
@pytest.mark.parametrize("mutators", [(), (Round(digits=1),)])
def test_another_shape_makes_the_answer_unreadable(
    wrong: Any, mutators: tuple[Mutator, ...]
) -> None:
    with pytest.raises(UpstreamError) as caught:
        shown(wrong, *mutators)
    assert "s3cret" not in str(caught.value)


@given(st.floats(-30, 0), st.lists(st.floats(-30, 0), max_size=4), st.integers(1, 3))
def test_no_more_alternatives_are_shown_than_the_tier_says(
    chosen: float, others: list[float], k: int
) -> None:
    value = token("a", chosen, top_logprobs=[token("b", other) for other in others])
    assert len(shown(value, TopK(k=k))["top_logprobs"]) == min(k, len(others))


def test_a_mutator_that_answers_with_another_kind_is_our_own_fault() -> None:
    def confused(_source: Source | None, _prediction: Prediction) -> Prediction:
        return Score(0.5)

    with pytest.raises(TypeError, match="Score"):
        shown(token("a", -1), edits={"logprobs": confused})
