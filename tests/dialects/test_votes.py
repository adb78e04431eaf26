"""Votes of an ensemble, in an API of our own."""

from typing import Any

import orjson
import pytest

from extproc.dialects import Votes
from extproc.dialects.ballots import Declared
from extproc.dialects.gate import Terms
from extproc.dialects.shape import Node
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Drop
from extproc.prediction import Query, Score
from extproc.refusal import RATE_LIMITED
from tests.dialects.ensembles import PRIVATE, SURE, TOLD, run
from tests.dialects.tiers import MODEL, OPEN, Edits, tier

VOTES = Votes(teachers=250, classes=("ape", "bee", "cat"))
ANSWER: Node = VOTES.answer()


def served(votes: Any, edits: Edits = PRIVATE, inputs: int = 2, **more: Any) -> Any:
    answer = orjson.loads(orjson.dumps({"model": "zoo-7", "votes": votes, **more}))
    return ANSWER.rewrite(answer, run(edits, inputs), "")


class TestRequest:
    def test_inputs_are_counted(self) -> None:
        body = orjson.dumps({"model": "zoo", "inputs": [[1.5], "a", {"b": 2}]})
        asked = VOTES.read(body, {}, Terms(()))
        assert asked.body is body
        assert asked.query == Query("zoo", inputs=3)
        assert asked.inputs == [[1.5], "a", {"b": 2}]

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"model": "zoo"},
            {"model": "zoo", "inputs": []},
            {"model": "zoo", "inputs": "a"},
            {"model": "zoo", "inputs": [None]},
            {"inputs": [1]},
            {"model": "zoo", "inputs": [1], "noise": 0},
        ],
    )
    def test_what_is_unknown_or_cannot_be_counted_is_refused(self, wrong: Any) -> None:
        with pytest.raises(ClientError):
            VOTES.read(orjson.dumps(wrong), {}, Terms(()))


class TestAnswer:
    def test_votes_become_one_for_the_class_that_is_told(self) -> None:
        after = served(SURE, classes=["ape", "bee", "cat"], seconds=0.1, teachers=["a"])
        assert after == {"model": MODEL, "classes": ["ape", "bee", "cat"], "votes": TOLD}

    def test_where_votes_are_not_named_none_pass(self) -> None:
        assert served(SURE, {}) == {"model": MODEL, "votes": []}

    def test_where_they_pass_they_pass_as_they_are(self) -> None:
        assert served(SURE, OPEN)["votes"] == SURE

    @pytest.mark.parametrize(
        "row",
        [
            [0, 249, 0],
            [0, 250, 1],
            [-1, 251, 0],
            [250.0, 0, 0],
            [True, 249, 0],
            ["250", 0, 0],
            [[250, 0, 0]],
            [],
            {"bee": 250},
            250,
            [1 << 63, 0, 0],
            [(1 << 63) - 1, (1 << 63) - 1, 252],
        ],
    )
    @pytest.mark.parametrize("edits", [PRIVATE, OPEN])
    def test_what_is_not_one_vote_of_each_member_is_unreadable(
        self, row: Any, edits: Edits
    ) -> None:
        with pytest.raises(UpstreamError, match=r"votes\[\]"):
            served([SURE[0], row], edits)

    def test_a_row_of_no_input_is_unreadable(self) -> None:
        with pytest.raises(UpstreamError, match="is of no input"):
            served(SURE, inputs=1)

    def test_classes_pass_as_they_are_declared_and_no_other_way(self) -> None:
        """In an order of the server's they would tell which has the most votes."""
        with pytest.raises(UpstreamError, match="classes is not what the route declares"):
            served(SURE, classes=["bee", "ape", "cat"])
        bare = Votes(teachers=250).answer()
        after = bare.rewrite({"classes": ["bee", "ape"], "votes": None}, run(), "")
        assert after == {"votes": None}
        assert Declared(("ape",)).rewrite(None, run(), "classes") is None

    def test_what_a_mutator_drops_is_dropped(self) -> None:
        assert served(SURE, tier({"votes": [Drop()]}))["votes"] == []

    def test_votes_stay_votes(self) -> None:
        with pytest.raises(TypeError, match="changed the kind of votes"):
            served(SURE, {"votes": lambda _source, _before: Score(1.0)})

    def test_null_says_nothing(self) -> None:
        assert served([None, SURE[1]], classes=None)["votes"] == [None, TOLD[1]]

    def test_an_error_never_passes(self) -> None:
        with pytest.raises(UpstreamError):
            served(None, error={"votes": SURE})


def test_a_refusal_is_problem_details() -> None:
    assert orjson.loads(VOTES.error(RATE_LIMITED))["status"] == 429
