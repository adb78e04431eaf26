"""Log probabilities in two arrays: rewritten alike, and no sum finer than a token."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.gemini_logprobs import RESULT, average
from extproc.dialects.shape import ABSENT, Fields, Leaf, Rewrite
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators import LabelOnly, Mutator, Round, TopK
from extproc.prediction import Prediction, Score
from tests.dialects.tiers import Edits, tier

TREE = Fields({"result": RESULT, "avg": Leaf("logprobs", average)})
ROUND, TOP = Round(digits=1), TopK(k=1)


def entry(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logProbability": logprob}


def shown(value: Any, *mutators: Mutator, edits: Edits | None = None) -> Any:
    run = Rewrite(tier({"logprobs": mutators}) if edits is None else edits, "m")
    after = TREE.rewrite({"result": value}, run, "")
    return after.get("result", ABSENT)


def log(probability: float) -> float:
    return round(math.log(probability), 4)


TWO = {
    "chosenCandidates": [entry("a", -0.4), entry("b", -1.5)],
    "topCandidates": [
        {"candidates": [entry("a", -0.4), entry("x", -1.2)]},
        {"candidates": [entry("y", -0.3), entry("b", -1.5)]},
    ],
    "logProbabilitySum": -1.9,
}


def test_tokens_and_alternatives_are_rewritten_alike() -> None:
    assert shown(TWO, TOP, ROUND) == {
        "chosenCandidates": [entry("a", log(0.7)), entry("b", log(0.2))],
        "topCandidates": [
            {"candidates": [entry("a", log(0.7))]},
            {"candidates": [entry("y", log(0.7))]},
        ],
        "logProbabilitySum": log(0.1),
    }


def test_what_needs_no_change_is_the_very_object() -> None:
    assert shown(TWO) is TWO
    assert shown(TWO, TopK(k=5)) is TWO
    only_sum = TWO | {"logProbabilitySum": log(0.1)}
    fixed = shown(only_sum, ROUND)
    assert shown(fixed, ROUND) is fixed


def test_a_sum_alone_may_need_the_change() -> None:
    value = {"chosenCandidates": [entry("a", log(0.7))], "logProbabilitySum": -0.34}
    assert shown(value, ROUND) == value | {"logProbabilitySum": log(0.7)}


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ({}, {}),
        ({"chosenCandidates": None}, {"chosenCandidates": None}),
        ({"topCandidates": None, "logProbabilitySum": None},) * 2,
        ({"chosenCandidates": [], "topCandidates": []},) * 2,
        (
            {"chosenCandidates": [entry("a", -0.4)]},
            {"chosenCandidates": [entry("a", log(0.7))]},
        ),
        (
            {"chosenCandidates": [entry("a", -0.4), None], "topCandidates": [None, {}]},
            {"chosenCandidates": [entry("a", log(0.7)), None], "topCandidates": [None, {}]},
        ),
        ({"topCandidates": [{"candidates": []}, {"candidates": None}]},) * 2,
        (
            {
                "chosenCandidates": [entry("a", -0.4)],
                "topCandidates": None,
                "logProbabilitySum": None,
            },
            {
                "chosenCandidates": [entry("a", log(0.7))],
                "topCandidates": None,
                "logProbabilitySum": None,
            },
        ),
    ],
)
def test_what_is_absent_or_null_stays_so(value: Any, left: Any) -> None:
    assert shown(value, ROUND) == left


def test_token_ids_do_not_pass() -> None:
    run = Rewrite({"logprobs": None}, "m")
    value = {
        "chosenCandidates": [entry("a", -1) | {"tokenId": 7}],
        "topCandidates": [{"candidates": [entry("a", -1) | {"tokenId": 7}], "x": 1}],
    }
    left = TREE.rewrite({"result": value}, run, "")["result"]
    assert left == {
        "chosenCandidates": [entry("a", -1)],
        "topCandidates": [{"candidates": [entry("a", -1)]}],
    }
    assert run.dropped == {
        "result.chosenCandidates[].*": 1,
        "result.topCandidates[].candidates[].*": 1,
        "result.topCandidates[].*": 1,
    }


def test_tokens_go_where_the_tier_says_so() -> None:
    assert shown(TWO, LabelOnly()) == {"chosenCandidates": [], "topCandidates": []}
    assert shown({"logProbabilitySum": -1.9}, LabelOnly()) == {}
    assert shown(TWO, edits={}) is ABSENT


@pytest.mark.parametrize(
    "wrong",
    [
        {"chosenCandidates": {}},
        {"chosenCandidates": [7]},
        {"chosenCandidates": [{"token": "s3cret"}]},
        {"chosenCandidates": [{"token": 7, "logProbability": -1}]},
        {"chosenCandidates": [entry("s3cret", True)]},
        {"chosenCandidates": [{"token": "a", "logProbability": "-1"}]},
        {"topCandidates": [{"candidates": [None]}]},
        {"chosenCandidates": [entry("a", -1)], "topCandidates": [{"candidates": [{}]}]},
        {"chosenCandidates": [entry("a", -1)], "topCandidates": [{"candidates": 7}]},
        {"chosenCandidates": [entry("a", -1)], "topCandidates": [7]},
        {"logProbabilitySum": "-1"},
        {"logProbabilitySum": [-1]},
        [],
        7,
    ],
)
@pytest.mark.parametrize("mutators", [(), (ROUND,)])
def test_another_shape_makes_the_answer_unreadable(
    wrong: Any, mutators: tuple[Mutator, ...]
) -> None:
    with pytest.raises(UpstreamError) as caught:
        shown(wrong, *mutators)
    assert "s3cret" not in str(caught.value)


def test_an_average_is_no_finer_than_a_token() -> None:
    run = Rewrite(tier({"logprobs": [ROUND]}), "m")
    assert TREE.rewrite({"avg": -0.4}, run, "") == {"avg": log(0.7)}
    assert TREE.rewrite({"avg": -1e3}, run, "") == {"avg": log(0.1)}
    assert TREE.rewrite({"avg": None}, run, "") == {"avg": None}
    assert TREE.rewrite({"avg": -0.4}, Rewrite({}, "m"), "") == {}
    assert TREE.rewrite({"avg": -0.4}, Rewrite(tier({"logprobs": [LabelOnly()]}), "m"), "") == {}
    for wrong in ("-1", True, [1]):
        with pytest.raises(UpstreamError, match="no number"):
            TREE.rewrite({"avg": wrong}, run, "")


@given(st.lists(st.tuples(st.floats(-20, 0), st.lists(st.floats(-20, 0), max_size=3)), max_size=4))
def test_both_arrays_keep_their_lengths(tokens: list[tuple[float, list[float]]]) -> None:
    value = {
        "chosenCandidates": [entry("a", chosen) for chosen, _ in tokens],
        "topCandidates": [
            {"candidates": [entry("b", other) for other in others]} for _, others in tokens
        ],
    }
    left = shown(value, ROUND)
    assert len(left["chosenCandidates"]) == len(left["topCandidates"]) == len(tokens)
    for top, (_, others) in zip(left["topCandidates"], tokens, strict=True):
        assert len(top["candidates"]) == len(others)


def test_a_mutator_that_answers_with_another_kind_is_our_own_fault() -> None:
    def confused(_source: Source | None, _prediction: Prediction) -> Prediction:
        return Score(0.5)

    for value in (
        {"chosenCandidates": TWO["chosenCandidates"]},
        {"topCandidates": TWO["topCandidates"]},
        {"logProbabilitySum": -1.9},
    ):
        with pytest.raises(TypeError, match="Score"):
            shown(value, edits={"logprobs": confused})
