"""Moderations: flags are labels, the numbers behind them scores."""

from typing import Any

import orjson
import pytest

from extproc.dialects import OpenAIModerations
from extproc.dialects.gate import Terms
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Round
from extproc.prediction import KINDS, Kind, Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import body
from tests.dialects.openai_client import client_of
from tests.dialects.tiers import MODEL, OPEN, is_untouched, released, served, tier

MODERATIONS = OpenAIModerations()
ANSWER = MODERATIONS.answer()
DOCUMENT = body("openai_moderations/answer.json")
PART = {"type": "text", "text": "hi"}


def test_a_request_of_known_fields_goes_on_byte_for_byte() -> None:
    original = body("openai_moderations/request.json")
    asked = MODERATIONS.read(original, {}, Terms(()))
    assert asked.body is original
    assert asked.query == Query("omni-moderation-latest", inputs=2)


@pytest.mark.parametrize(
    ("value", "inputs"), [("a", ["a"]), (["a", "b"], ["a", "b"]), ([PART, PART], [[PART, PART]])]
)
def test_parts_are_judged_together_and_strings_each_by_itself(
    value: Any, inputs: list[Any]
) -> None:
    asked = MODERATIONS.read(orjson.dumps({"model": "m", "input": value}), {}, Terms(()))
    assert (asked.query.inputs, asked.inputs) == (len(inputs), inputs)


def test_a_request_without_a_model_goes_on_with_the_name_it_is_checked_by() -> None:
    asked = MODERATIONS.read(b'{"input":"a"}', {}, Terms(()))
    assert asked.query.model == "omni-moderation-latest"
    assert orjson.loads(asked.body) == {"input": "a", "model": "omni-moderation-latest"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"input": None},
        {"input": []},
        {"input": 1},
        {"input": ["a", PART]},
        {"input": [1]},
        {"model": None},
        {"model": ""},
        {"model": ["m"]},
        {"logprobs": True},
    ],
)
def test_a_wrong_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ClientError):
        MODERATIONS.read(orjson.dumps({"model": "m", "input": "a"} | wrong), {}, Terms(KINDS))


@pytest.mark.parametrize("granted", [(), ("label",), ("label", "score"), KINDS])
def test_no_secret_passes_and_the_stock_client_reads_the_rest(granted: tuple[Kind, ...]) -> None:
    spoken = MODERATIONS.answers()["application/json"]
    shown = released(spoken, DOCUMENT, dict.fromkeys(granted))
    assert b"s3cret" not in shown
    read = client_of(shown).moderations.create(input="i")
    assert read.model == ("omni-moderation-2024-09-26" if "identity" in granted else MODEL)
    if "label" in granted:
        assert [result.flagged for result in read.results] == [True, False]
        assert read.results[0].categories.violence
        assert read.results[0].category_applied_input_types.violence == ["text"]
    if "score" in granted:
        assert read.results[0].category_scores.violence == 0.9712345
    else:
        assert [result.category_scores for result in read.results] == [None, None]


def test_scores_are_rounded_and_flags_stay() -> None:
    edits = tier({"score": [Round(digits=1)], "label": []})
    shown, _ = served(ANSWER, DOCUMENT, edits)
    scores = shown["results"][0]["category_scores"]
    assert (scores["violence"], scores["harassment"], scores["hate"]) == (1.0, 1.0, 0.0)
    assert shown["results"][0]["flagged"] is True


def test_an_answer_of_known_fields_is_untouched() -> None:
    known, _ = served(ANSWER, DOCUMENT, OPEN)
    assert is_untouched(ANSWER, orjson.dumps(known), OPEN)


def test_an_answer_that_reports_an_error_does_not_pass() -> None:
    with pytest.raises(UpstreamError, match="reports an error"):
        served(ANSWER, b'{"error":{"message":"gpu-07"}}', OPEN)


def test_an_error_has_openais_shape() -> None:
    assert orjson.loads(MODERATIONS.error(UNKNOWN_MODEL))["error"]["code"] == "model_not_found"
