"""Scores, distributions, and lists of labels: what is taken out leaves no trace in the list."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.confidences import PROBABILITIES, SCORE, ScoredLabels
from extproc.dialects.mutation import Mutation
from extproc.dialects.shape import Json, Node, Rewrite
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators import Drop, LabelOnly, Mutator, Round, TopK
from extproc.prediction import Prediction, Probabilities, Score
from tests.dialects.tiers import OPEN, Edits, tier
from tests.dialects.ways import left

LIST = ScoredLabels()
RANKED = [
    {"label": "love", "score": 0.75},
    {"label": "joy", "score": 0.24},
    {"label": "anger", "score": 0.01},
]


def shown(node: Node, value: Json, edits: Edits = OPEN) -> Json:
    return left(node, orjson.dumps(value), edits)


def mutated(*mutators: Mutator) -> Edits:
    return OPEN | tier({"probabilities": mutators, "score": mutators})


def reversing(_source: Source | None, prediction: Prediction) -> Prediction:
    assert isinstance(prediction, Probabilities)
    return Probabilities(prediction.values[::-1].copy())


def confused(_source: Source | None, prediction: Prediction) -> Prediction:
    return Score(0.5) if isinstance(prediction, Probabilities) else Probabilities(None)  # type: ignore[arg-type]


class TestScore:
    def test_a_score_is_edited_or_null(self) -> None:
        assert shown(SCORE, 0.123, mutated(Round(digits=1))) == 0.1
        assert shown(SCORE, -3) == -3
        assert shown(SCORE, 0.5, {}) is None
        assert shown(SCORE, 0.5, OPEN | {"score": lambda source, prediction: None}) is None

    @pytest.mark.parametrize("wrong", ["0.5", True, [0.5], {"logit": 1}])
    def test_what_is_no_number_is_unreadable(self, wrong: Any) -> None:
        with pytest.raises(UpstreamError, match="is not a number"):
            shown(SCORE, wrong)


class TestDistribution:
    def test_probabilities_are_edited_together_or_null(self) -> None:
        assert shown(PROBABILITIES, [0.76, 0.24], mutated(Round(digits=1))) == [0.8, 0.2]
        assert shown(PROBABILITIES, [0.76, 0.24], mutated(LabelOnly())) == [1.0, 0.0]
        assert shown(PROBABILITIES, [1, 0.0]) == [1, 0.0]
        assert shown(PROBABILITIES, []) == []
        assert shown(PROBABILITIES, [0.5], {}) is None
        withheld: Mutation = lambda source, prediction: None  # noqa: E731 - shorter than a def
        assert shown(PROBABILITIES, [0.5], {"probabilities": withheld}) is None

    @pytest.mark.parametrize(
        "wrong",
        [{}, 0.5, "0.5", [None], ["0.5"], [True], [[0.5]], [-0.1], [1.1], [0.9, 0.9], [4.2, -3.1]],
    )
    def test_what_is_no_distribution_is_unreadable_even_where_all_passes(self, wrong: Any) -> None:
        with pytest.raises(UpstreamError):
            shown(PROBABILITIES, wrong)


class TestLabels:
    def test_untouched_it_passes_byte_for_byte_without_unknown_fields(self) -> None:
        assert shown(LIST, RANKED) == RANKED
        assert shown(LIST, [{"logit": 3.5, **RANKED[0]}]) == [RANKED[0]]
        assert shown(LIST, []) == []
        assert shown(LIST, None) is None

    def test_what_a_mutator_takes_out_leaves_the_list(self) -> None:
        assert shown(LIST, RANKED, mutated(TopK(k=2))) == RANKED[:2]
        rounded = shown(LIST, RANKED, mutated(Round(digits=1)))
        assert rounded == [{"label": "love", "score": 0.8}, {"label": "joy", "score": 0.2}]

    def test_the_top_label_alone_keeps_the_score_of_the_mutator_which_is_1(self) -> None:
        assert shown(LIST, RANKED, mutated(LabelOnly())) == [{"label": "love", "score": 1.0}]
        assert shown(LIST, RANKED[::-1], mutated(LabelOnly())) == [{"label": "love", "score": 1.0}]

    @pytest.mark.parametrize("edits", [{"label": None}, {"label": None} | tier({"score": []})])
    def test_where_labels_alone_are_granted_the_top_one_stays_with_null(self, edits: Edits) -> None:
        assert shown(LIST, RANKED[::-1], edits) == [{"label": "love", "score": None}]

    def test_where_a_mutator_withholds_it_the_top_label_stays_with_null(self) -> None:
        withheld: Edits = {"label": None, "probabilities": lambda source, prediction: None}
        assert shown(LIST, RANKED, withheld) == [{"label": "love", "score": None}]
        assert shown(LIST, RANKED, mutated(Drop()) | {"label": None})

    def test_labels_go_where_they_are_not_granted(self) -> None:
        edits = tier({"probabilities": [TopK(k=1)]})
        assert shown(LIST, RANKED, edits) == [{"score": 0.75}]
        assert shown(LIST, RANKED, {}) == []

    def test_a_list_in_the_order_of_its_scores_follows_the_new_ones(self) -> None:
        served = shown(LIST, RANKED, OPEN | {"probabilities": reversing})
        assert [entry["label"] for entry in served] == ["anger", "joy", "love"]

    def test_a_list_in_another_order_keeps_it(self) -> None:
        shuffled = [RANKED[1], RANKED[0], RANKED[2]]
        served = shown(LIST, shuffled, mutated(Round(digits=2)))
        assert [entry["label"] for entry in served] == ["joy", "love", "anger"]

    @given(st.permutations(RANKED), st.sampled_from([1, 2]))
    def test_what_is_served_tells_nothing_that_the_edited_values_do_not(
        self, entries: list[Any], k: int
    ) -> None:
        hidden = [{**e, "score": e["score"] / 3} if e not in RANKED[:k] else e for e in entries]
        edits = mutated(TopK(k=k))
        assert shown(LIST, entries, edits) == shown(LIST, hidden, edits)

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            "love",
            [7],
            [None],
            [["love", 0.5]],
            [{"label": "love"}],
            [{"score": 0.5}],
            [{"label": None, "score": 0.5}],
            [{"label": ["love"], "score": 0.5}],
            [{"label": "love", "score": None}],
            [{"label": "love", "score": "0.5"}],
            [{"label": "love", "score": 3.5}],
            [{"label": "love", "score": 0.8}, {"label": "joy", "score": 0.8}],
        ],
    )
    @pytest.mark.parametrize("edits", [OPEN, {"label": None}])
    def test_what_is_no_list_of_labels_is_unreadable(self, wrong: Any, edits: Edits) -> None:
        with pytest.raises(UpstreamError):
            shown(LIST, wrong, edits)

    def test_no_error_holds_a_label_or_a_number(self) -> None:
        with pytest.raises(UpstreamError) as caught:
            shown(LIST, [{"label": "s3cret", "score": 31337}])
        assert "s3cret" not in str(caught.value)
        assert "31337" not in str(caught.value)


@pytest.mark.parametrize(("node", "value"), [(SCORE, 0.5), (PROBABILITIES, [0.5])])
def test_a_mutator_that_answers_with_another_kind_is_our_own_fault(node: Node, value: Any) -> None:
    with pytest.raises(TypeError, match="a mutator made"):
        node.rewrite(value, Rewrite(OPEN | {"score": confused, "probabilities": confused}, "m"), "")


def test_what_is_hidden_may_be_told_as_one_label_behind_the_others() -> None:
    edits = mutated(TopK(k=1, other=True), Round(digits=2))
    assert shown(LIST, RANKED, edits) == [RANKED[0], {"label": "other", "score": 0.25}]


def test_numbers_without_labels_have_no_place_for_what_is_hidden() -> None:
    with pytest.raises(TypeError, match="no place"):
        shown(PROBABILITIES, [0.5, 0.3], mutated(TopK(k=1, other=True)))
