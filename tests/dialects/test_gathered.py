"""Vectors that are edited all together: one for each input, or none passes."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import orjson
import pytest

from extproc.dialects.allowing import allowing
from extproc.dialects.gathered import Collected, Gathered
from extproc.dialects.mutation import Gathering
from extproc.dialects.shape import Anything, Fields, Items, Json, Keep, Leaf, Rewrite
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.prediction import Embedding, Prediction
from tests.dialects.test_shape import halved, score, vector, withheld
from tests.dialects.tiers import MODEL, OPEN, Edits


def summed(vectors: Sequence[Embedding]) -> list[Embedding]:
    """Instead of each vector the sum of all."""
    total = np.array([sum(each.values.sum() for each in vectors)])
    return [Embedding(total) for _ in vectors]


def doubled(_source: Source | None, prediction: Prediction) -> Prediction:
    assert isinstance(prediction, Embedding)
    return Embedding(prediction.values * 2)


VECTOR = Leaf("embedding", vector)
ANSWERS = Gathered(
    Items(
        Fields({"index": Keep(), "v": VECTOR, "score": Leaf("score", score), "a": Anything()}),
        each=True,
    )
)


GATHERING: Edits = {"embedding": Gathering(doubled, summed), "score": halved}


class TestGathered:
    def answer(self, value: Json, inputs: int | None = None) -> tuple[Json, Counter[str]]:
        run = Rewrite(GATHERING, MODEL, inputs=inputs)
        after = ANSWERS.rewrite(value, run, "data")
        assert run.at is None
        return orjson.loads(orjson.dumps(after, option=orjson.OPT_SERIALIZE_NUMPY)), Counter(
            run.dropped
        )

    def test_vectors_are_edited_all_together_and_everything_else_once(self) -> None:
        items = [{"index": n, "v": [1.0, n], "score": 0.5, "x": 1} for n in range(2)]
        after, dropped = self.answer(items, 2)
        assert after == [{"index": n, "v": [6.0], "score": 0.25} for n in range(2)]
        assert dropped == {"data[].*": 2}

    def test_nothing_of_a_vector_is_left_between_the_walks(self) -> None:
        collected = Collected(Rewrite(GATHERING, MODEL, inputs=1))
        hollow = ANSWERS.node.rewrite([{"v": [0.5, 0.25]}], collected.first, "")
        assert hollow[0]["v"].tolist() == [0.0]
        assert collected.size == 2 * 4
        filled = ANSWERS.filled([{"v": [0.0]}], collected, "")
        assert filled[0]["v"].tolist() == [1.5]

    def test_one_vector_may_stand_in_an_object(self) -> None:
        node = Gathered(Fields({"v": VECTOR}))
        after = node.rewrite({"v": [1.0, 2.0]}, Rewrite(GATHERING, MODEL, inputs=1), "")
        assert after["v"].tolist() == [6.0]

    def test_where_vectors_are_not_edited_together_it_is_what_it_holds(self) -> None:
        items = [{"v": [1.0]}]
        assert ANSWERS.rewrite(items, Rewrite(OPEN, MODEL), "") is items
        edits: Edits = {"embedding": doubled}
        assert ANSWERS.rewrite(items, Rewrite(edits, MODEL), "")[0]["v"].tolist() == [2.0]

    @pytest.mark.parametrize("value", [[], [{"score": 0.5}], [{"v": None}], None])
    def test_without_vectors_there_is_nothing_to_compare(self, value: Json) -> None:
        left = [{"score": 0.25}] if value and "score" in value[0] else value
        assert self.answer(value, 7)[0] == left

    @pytest.mark.parametrize(
        ("value", "inputs"),
        [
            ([{"v": [1.0]}], 2),
            ([{"v": [1.0]}, {"v": [1.0]}], 1),
            ([{"v": [1.0]}, {"v": None}], 2),
            ([{"v": None}, {"v": [1.0]}], 1),
            ([{"v": None}, {"v": [1.0]}], None),
        ],
    )
    def test_there_is_one_for_each_input(self, value: Json, inputs: int | None) -> None:
        with pytest.raises(UpstreamError, match="one embedding for each input"):
            self.answer(value, inputs)

    def test_two_in_one_item_are_one_too_many(self) -> None:
        node = Gathered(Items(Items(VECTOR), each=True))
        for value in ([[[1.0], [2.0]]], [[[1.0], [2.0]], []]):
            with pytest.raises(UpstreamError, match="one embedding for each input"):
                node.rewrite(value, Rewrite(GATHERING, MODEL, inputs=2), "")

    def test_they_stand_in_the_order_of_the_inputs(self) -> None:
        with pytest.raises(UpstreamError, match=r"data\[\] is not in the order"):
            self.answer([{"index": 1, "v": [1.0]}, {"index": 0, "v": [1.0]}], 2)
        assert self.answer([{"index": None, "v": [1.0]}], 1)[0] == [{"index": None, "v": [2.0]}]

    def test_a_vector_that_nobody_gathers_makes_an_answer_unreadable(self) -> None:
        with pytest.raises(UpstreamError, match="cannot be compared"):
            VECTOR.rewrite([1.0], Rewrite(GATHERING, MODEL), "")

    def test_a_vector_that_is_withheld_makes_it_unreadable_too(self) -> None:
        edits: Edits = {"embedding": Gathering(withheld, summed)}
        with pytest.raises(UpstreamError, match="withheld"):
            ANSWERS.rewrite([{"v": [1.0]}], Rewrite(edits, MODEL), "")

    def test_where_too_few_come_back_the_others_are_dropped(self) -> None:
        edits: Edits = {"embedding": Gathering(doubled, lambda each: summed(each)[1:])}
        after = ANSWERS.rewrite([{"v": [1.0]}, {"v": [1.0]}], Rewrite(edits, MODEL), "")
        assert after[0]["v"].tolist() == [4.0]
        assert after[1] == {}

    def test_what_is_nested_too_deeply_is_not_read_twice(self) -> None:
        deep: Json = 1
        for _ in range(300):
            deep = [deep]
        with pytest.raises(UpstreamError, match="nested too deeply"):
            self.answer([{"v": [1.0], "a": deep}])

    def test_a_field_may_be_allowed_inside(self) -> None:
        node = allowing(ANSWERS, ["extra"])
        value = [{"v": [1.0], "extra": {"b": [1]}}]
        after = node.rewrite(value, Rewrite(GATHERING, MODEL), "")
        assert after[0]["extra"] == {"b": [1]}
