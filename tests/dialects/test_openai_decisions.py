"""Decisions: no number tells more than the probabilities do at their tier."""

from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects import OpenAIDecisions
from extproc.dialects.gate import Terms
from extproc.draw import Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Drop, LabelOnly, Round, TopK
from extproc.prediction import KINDS, Kind, Prediction, Query, Score
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import body
from tests.dialects.openai_client import client_of
from tests.dialects.tiers import OPEN, Edits, is_untouched, released, served, tier

DECISIONS = OpenAIDecisions()
ANSWER = DECISIONS.answer()
DOCUMENT = body("openai_decisions/answer.json")
ROUNDED = tier({"probabilities": [Round(digits=1)], "score": [Round(digits=0)], "label": []})


def answered(answer: dict[str, Any], edits: Edits) -> Any:
    shown, _ = served(ANSWER, orjson.dumps({"answers": [answer]}), edits)
    return shown["answers"][0]


def choice(*probabilities: Any, confidence: Any = 0.5) -> dict[str, Any]:
    entries = [{"value": str(n), "probability": p} for n, p in enumerate(probabilities)]
    return {"type": "choice", "choice": "0", "confidence": confidence, "probabilities": entries}


class TestRequest:
    def test_each_question_is_an_input(self) -> None:
        original = body("openai_decisions/request.json")
        asked = DECISIONS.read(original, {}, Terms(()))
        questions = orjson.loads(original)["questions"]
        assert asked.body is original
        assert asked.query == Query("gpt-decide", inputs=4)
        assert asked.inputs == [["The parcel never came.", question] for question in questions]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"model": ""},
            {"input": ""},
            {"questions": []},
            {"questions": None},
            {"questions": "why"},
            {"logits": True},
        ],
    )
    def test_a_wrong_value_is_refused(self, wrong: dict[str, Any]) -> None:
        right = {"model": "m", "input": "a", "questions": [{"type": "predicate"}]}
        with pytest.raises(ClientError):
            DECISIONS.read(orjson.dumps(right | wrong), {}, Terms(KINDS))


class TestAnswer:
    @pytest.mark.parametrize("granted", [(), ("label",), ("label", "probabilities"), KINDS])
    def test_no_secret_passes_and_the_stock_client_reads_the_rest(
        self, granted: tuple[Kind, ...]
    ) -> None:
        edits: Edits = dict.fromkeys(granted)
        shown = released(DECISIONS.answers()["application/json"], DOCUMENT, edits)
        assert b"s3cret" not in shown
        read = client_of(shown).decisions.create(model="m", input="i", questions=[])
        assert [answer.type for answer in read.answers] == [
            "predicate",
            "choice",
            "score",
            "refusal",
        ]
        told = [
            set(answer) & {"probability", "probabilities", "confidence"} for answer in _raw(shown)
        ]
        assert any(told) is ("probabilities" in granted)
        assert ("choice" in _raw(shown)[1]) is ("label" in granted)
        assert ("score" in _raw(shown)[2]) is ("score" in granted)

    def test_every_number_is_on_the_grid(self) -> None:
        shown, _ = served(ANSWER, DOCUMENT, ROUNDED)
        predicate, chosen, score, _ = shown["answers"]
        assert predicate["probability"] == 0.8
        assert [entry["probability"] for entry in chosen["probabilities"]] == [0.1, 0.9, 0.0]
        assert chosen["confidence"] == 0.9
        assert [entry["probability"] for entry in score["probabilities"]] == [0.0, 0.2, 0.8]
        assert (score["score"], score["confidence"]) == (2.0, 0.8)

    @given(
        st.lists(st.floats(0, 1), min_size=1, max_size=4).filter(lambda each: sum(each) <= 1),
        st.floats(0, 1),
    )
    def test_a_confidence_is_never_finer_than_the_probabilities(
        self, values: list[float], confidence: float
    ) -> None:
        after = answered(choice(*values, confidence=confidence), ROUNDED)
        assert after["confidence"] == after["probabilities"][0]["probability"]
        assert round(after["confidence"], 1) == after["confidence"]

    def test_probabilities_on_the_grid_do_not_let_a_finer_confidence_through(self) -> None:
        before = choice(0.5, 0.5, confidence=0.5031337)
        assert answered(before, ROUNDED) == before | {"confidence": 0.5}

    def test_a_confidence_without_probabilities_does_not_pass(self) -> None:
        empty = choice(confidence=0.31337)
        for before in (empty, empty | {"probabilities": None}):
            assert "confidence" not in answered(before, ROUNDED)
            assert answered(before, OPEN) == before

    def test_without_the_label_the_confidence_is_of_what_is_likeliest(self) -> None:
        after = answered(choice(0.1, 0.9), tier({"probabilities": [Round(digits=1)]}))
        assert "choice" not in after
        assert after["confidence"] == 0.9

    def test_no_confidence_stays_no_confidence(self) -> None:
        assert answered(choice(0.12, 0.88, confidence=None), ROUNDED)["confidence"] is None

    @pytest.mark.parametrize(("value", "label"), [(0.93, 1.0), (0.5, 1.0), (0.2, 0.0)])
    def test_a_predicate_is_true_or_false(self, value: float, label: float) -> None:
        edits = tier({"probabilities": [LabelOnly()]})
        predicate = {"type": "predicate", "probability": value}
        assert answered(predicate, edits)["probability"] == label

    def test_top_k_hides_the_lesser_probabilities(self) -> None:
        after = answered(choice(0.7, 0.2, 0.1), tier({"probabilities": [TopK(k=1)]}))
        assert [entry["probability"] for entry in after["probabilities"]] == [0.7, 0, 0]
        assert after["confidence"] == 0.7

    def test_what_a_mutator_withholds_is_taken_out(self) -> None:
        def withhold(_source: Source | None, prediction: Prediction) -> None:
            return None

        edits: Edits = {"probabilities": withhold, "label": None}
        assert answered(choice(0.7, 0.3), edits) == {"type": "choice", "choice": "0"}
        assert answered({"type": "predicate", "probability": 0.3}, edits) == {"type": "predicate"}
        assert "confidence" not in answered(choice(0.7), tier({"probabilities": [Drop()]}))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"type": "predicate", "probability": "0.5"},
            {"type": "predicate", "probability": 1.5},
            choice(0.5, confidence=[0.5]),
            choice(0.5, confidence=-1),
            choice("0.5"),
            choice({"p": 0.5}),
            choice(0.5) | {"probabilities": {"0": 0.5}},
            choice(0.5) | {"probabilities": [0.5]},
            choice(0.5) | {"probabilities": [None]},
            choice(0.5) | {"choice": {"p": 0.5}},
            {"type": "score", "score": [0.5]},
        ],
    )
    def test_what_is_no_probability_makes_the_answer_unreadable(
        self, wrong: dict[str, Any]
    ) -> None:
        for edits in (OPEN, ROUNDED):
            with pytest.raises(UpstreamError):
                answered(wrong, edits)

    def test_an_answer_of_known_fields_is_untouched(self) -> None:
        known, _ = served(ANSWER, DOCUMENT, OPEN)
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)
        rounded, _ = served(ANSWER, DOCUMENT, ROUNDED)
        assert is_untouched(ANSWER, orjson.dumps(rounded), ROUNDED)

    def test_a_mutator_that_answers_with_another_kind_is_our_own_fault(self) -> None:
        def confused(_source: Source | None, prediction: Prediction) -> Prediction:
            return Score(0.5)

        with pytest.raises(TypeError, match="Score"):
            answered(choice(0.5), {"probabilities": confused})


def _raw(shown: bytes) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = orjson.loads(shown)["answers"]
    return answers


def test_an_error_has_openais_shape() -> None:
    assert orjson.loads(DECISIONS.error(UNKNOWN_MODEL))["error"]["code"] == "model_not_found"


def test_a_predicate_has_no_place_for_a_further_class() -> None:
    assert DECISIONS.positional()
