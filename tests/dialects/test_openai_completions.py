"""Legacy completions: columns of log probabilities are read as rows, and agree everywhere."""

import math
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given
from openai.types import Completion

from extproc.dialects import OpenAICompletions
from extproc.dialects.answers import Events
from extproc.dialects.gate import Terms
from extproc.draw import Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Drop, LabelOnly, Round, TopK
from extproc.prediction import KINDS, Kind, Logprobs, Prediction, Query, Score
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.openai_client import client_of
from tests.dialects.tiers import MODEL, OPEN, is_untouched, leaves, released, served, tier

COMPLETIONS = OpenAICompletions()
ANSWER = COMPLETIONS.answer()
ASKED: dict[str, Any] = {"model": "instruct", "prompt": "hi"}
DOCUMENT = body("openai_completions/answer.json")
CHOICE = {"choices[].index", "choices[].finish_reason"}
STRUCTURE = {"id", "object", "created", "model"} | CHOICE
COLUMNS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
BY_KIND: dict[Kind, set[str]] = {
    "text": {"choices[].text"},
    "identity": {"system_fingerprint"},
    "usage": {f"usage.{name}_tokens" for name in ("prompt", "completion", "total")},
}


def holding(**columns: Any) -> bytes:
    return orjson.dumps({"choices": [{"logprobs": columns}]})


def rows(*tokens: tuple[str, float, dict[str, float] | None, int]) -> dict[str, Any]:
    return dict(zip(COLUMNS, map(list, zip(*tokens, strict=True)), strict=True))


class TestRequest:
    def test_a_request_of_known_fields_goes_on_byte_for_byte(self) -> None:
        original = body("openai_completions/request.json")
        asked = COMPLETIONS.read(original, {}, Terms({"logprobs"}))
        assert asked.body is original
        assert asked.query == Query("gpt-3.5-turbo-instruct", inputs=2, stream=True)
        assert asked.inputs == ["Say this is a test", "Say Grüße"]

    @pytest.mark.parametrize(
        ("prompt", "count"), [("a", 1), ([1, 2], 1), (["a", "b"], 2), ([[1], [2, 3], [4]], 3)]
    )
    def test_each_prompt_is_an_input(self, prompt: Any, count: int) -> None:
        asked = COMPLETIONS.read(orjson.dumps(ASKED | {"prompt": prompt}), {}, Terms(()))
        assert asked.query.inputs == len(asked.inputs) == count

    @pytest.mark.parametrize("prompt", [None, [], {}, 1, ["a", 1], [[]], [["a"]], [1.5], [True]])
    def test_what_is_no_prompt_is_refused(self, prompt: Any) -> None:
        with pytest.raises(ClientError, match="'prompt'"):
            COMPLETIONS.read(orjson.dumps(ASKED | {"prompt": prompt}), {}, Terms(()))

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"echo": True}, "'echo'"),
            ({"echo": True, "logprobs": 0}, "'echo'"),
            ({"prompt_embeds": "AA=="}, "prompt_embeds"),
            ({"model": ""}, "'model'"),
            ({"stream": 1}, "'stream'"),
            ({"n": 0}, "'n'"),
            ({"n": 129}, "'n'"),
            ({"best_of": "3"}, "'best_of'"),
            ({"logprobs": 6}, "'logprobs'"),
            ({"logprobs": -1}, "'logprobs'"),
            ({"logprobs": True}, "'logprobs'"),
            ({"stream_options": {"continuous_usage_stats": True}}, "stream_options.cont"),
        ],
    )
    def test_a_wrong_value_is_refused_by_the_fields_name(
        self, wrong: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(ClientError, match=words):
            COMPLETIONS.read(orjson.dumps(ASKED | wrong), {}, Terms(KINDS))

    @pytest.mark.parametrize("count", [0, 3])
    @pytest.mark.parametrize(
        "more",
        [
            {"n": 2},
            {"best_of": 2},
            {"logit_bias": {"1": 5}},
            {"guided_choice": ["a"]},
            {"response_format": {"type": "json_schema"}},
        ],
    )
    def test_logprobs_stand_alone(self, count: int, more: dict[str, Any]) -> None:
        asked = orjson.dumps(ASKED | more | {"logprobs": count})
        with pytest.raises(ClientError, match="cannot be combined"):
            COMPLETIONS.read(asked, {}, Terms({"logprobs"}))
        assert orjson.loads(COMPLETIONS.read(asked, {}, Terms(())).body) == ASKED | more

    def test_no_more_alternatives_are_asked_for_than_are_shown(self) -> None:
        asked = orjson.dumps(ASKED | {"logprobs": 5})
        sent = COMPLETIONS.read(asked, {}, Terms({"logprobs"}, alternatives=1)).body
        assert orjson.loads(sent)["logprobs"] == 1

    def test_the_prompt_cache_is_salted_where_the_route_wants_it(self) -> None:
        dialect = OpenAICompletions(cache_salt=True)
        asked = dialect.read(orjson.dumps(ASKED), {}, Terms(KINDS, salt="5a17"))
        assert orjson.loads(asked.body) == ASKED | {"cache_salt": "5a17"}


class TestAnswer:
    @given(st.sets(st.sampled_from(KINDS)))
    def test_a_tier_passes_the_structure_and_the_fields_of_its_kinds(
        self, granted: set[Kind]
    ) -> None:
        shown, dropped = served(ANSWER, DOCUMENT, dict.fromkeys(granted))
        passing = STRUCTURE.union(*(BY_KIND.get(kind, set()) for kind in granted))
        passing |= {"choices[].logprobs"}  # null in one choice, and where it is not granted
        if {"usage", "usage_detail"} <= granted:
            passing.add("usage.prompt_tokens_details.cached_tokens")
        found = {place for place in leaves(shown) if ".logprobs." not in place}
        assert found == passing
        assert (shown["choices"][0]["logprobs"] is not None) is ("logprobs" in granted)
        assert dropped["choices[].*"] == 1

    @pytest.mark.parametrize("document", answers("openai_completions"))
    @pytest.mark.parametrize("granted", [(), ("text", "usage"), KINDS])
    def test_no_secret_passes_and_the_stock_client_reads_the_rest(
        self, document: bytes, granted: tuple[Kind, ...]
    ) -> None:
        shown = released(
            COMPLETIONS.answers()["application/json"], document, dict.fromkeys(granted)
        )
        assert b"s3cret" not in shown
        read = client_of(shown).completions.create(model="m", prompt="p")
        assert isinstance(read, Completion)
        assert not read.model_extra or read.model_extra.keys() <= {"obfuscation", "service_tier"}
        if "text" in granted:
            assert read.to_dict() == orjson.loads(shown)
            Completion.model_validate(orjson.loads(shown) | {"choices": read.choices[:0]})

    @pytest.mark.parametrize("granted", [("text",), ("text", "logprobs"), KINDS])
    def test_the_stock_client_reads_streams(self, granted: tuple[Kind, ...]) -> None:
        lines = body("openai_completions/stream.jsonl").splitlines()
        events = b"".join(b"data: " + line + b"\n\n" for line in [*lines, b"[DONE]"])
        spoken = COMPLETIONS.answers()["text/event-stream"]
        shown = released(spoken, events, dict.fromkeys(granted))
        assert shown == released(spoken, events, dict.fromkeys(granted), size=7)
        assert b"s3cret" not in shown
        client = client_of(shown, "text/event-stream")
        chunks = list(client.completions.create(model="m", prompt="p", stream=True))
        assert "".join(chunk.choices[0].text for chunk in chunks[:2]) == "Hello"
        assert (chunks[0].choices[0].logprobs is not None) is ("logprobs" in granted)
        assert (chunks[2].usage is not None) is ("usage" in granted)

    @pytest.mark.parametrize("document", answers("openai_completions"))
    def test_an_answer_of_known_fields_is_untouched(self, document: bytes) -> None:
        known, _ = served(ANSWER, document, OPEN)
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)
        edits = OPEN | tier({"logprobs": [TopK(k=20)]})
        assert is_untouched(ANSWER, orjson.dumps(known), edits)

    def test_an_answer_that_reports_an_error_does_not_pass(self) -> None:
        with pytest.raises(UpstreamError, match="reports an error"):
            served(ANSWER, b'{"error":{"message":"gpu-07"}}', OPEN)

    def test_an_error_has_openais_shape(self) -> None:
        error = orjson.loads(COMPLETIONS.error(UNKNOWN_MODEL))
        assert error["error"]["code"] == "model_not_found"


class TestColumns:
    def test_top_k_and_round_tell_the_same_in_every_column(self) -> None:
        before = rows(
            ("a", -0.4, {"a": -0.4, "b": -1.2, "c": -4.0}, 0), ("b", -1.2, {"a": -0.4}, 1)
        )
        edits = tier({"logprobs": [TopK(k=1), Round(digits=1)]})
        shown, dropped = served(ANSWER, holding(**before), edits)
        high, low = round(math.log(0.7), 4), round(math.log(0.3), 4)
        assert shown["choices"][0]["logprobs"] == rows(
            ("a", high, {"a": high}, 0), ("b", low, {"a": high}, 1)
        )
        assert not dropped

    def test_long_columns_are_taken_in_turns_and_all_of_them(self) -> None:
        before = rows(*[("a", -0.4, {"a": -0.4, "b": -1.2}, at) for at in range(150)])
        shown, _ = served(ANSWER, holding(**before), tier({"logprobs": [TopK(k=1)]}))
        assert shown["choices"][0]["logprobs"] == rows(
            *[("a", -0.4, {"a": -0.4}, at) for at in range(150)]
        )

    @pytest.mark.parametrize("mutator", [LabelOnly(), Drop()])
    def test_columns_of_which_nothing_passes_are_null(self, mutator: LabelOnly | Drop) -> None:
        edits = tier({"logprobs": [mutator]})
        shown, dropped = served(ANSWER, holding(**rows(("a", -1, None, 0))), edits)
        assert shown == {"choices": [{"logprobs": None}]}
        assert dropped == {"choices[].logprobs": 1}

    def test_a_row_that_is_withheld_leaves_every_column(self) -> None:
        def choosy(_source: Source | None, prediction: Prediction) -> Prediction | None:
            assert isinstance(prediction, Logprobs)
            return prediction if prediction.chosen.text == "b" else None

        before = rows(("a", -1, {"a": -1}, 0), ("b", -2, {"b": -2}, 1))
        shown, _ = served(ANSWER, holding(**before), {"logprobs": choosy})
        assert shown["choices"][0]["logprobs"] == rows(("b", -2, {"b": -2}, 1))

    def test_alternatives_of_a_token_without_a_log_probability_go_with_it(self) -> None:
        before = {"tokens": ["a", "b", "c"], "token_logprobs": [None, None, -1]}
        before["top_logprobs"] = [None, {"x": -0.3133}, None]
        shown, _ = served(ANSWER, holding(**before), tier({"logprobs": [Round(digits=1)]}))
        assert shown["choices"][0]["logprobs"] == {
            "tokens": ["a", "c"],
            "token_logprobs": [None, round(math.log(0.4), 4)],
            "top_logprobs": [None, None],
        }

    @pytest.mark.parametrize(
        "rest",
        [{}, {"top_logprobs": None}, {"top_logprobs": []}, {"text_offset": None}],
    )
    def test_columns_that_are_absent_null_or_empty_stay_so(self, rest: dict[str, Any]) -> None:
        before = {"tokens": ["a"], "token_logprobs": [-0.7], **rest}
        shown, _ = served(ANSWER, holding(**before), tier({"logprobs": [Round(digits=0)]}))
        assert shown["choices"][0]["logprobs"] == before | {"token_logprobs": [0.0]}

    def test_empty_columns_are_untouched(self) -> None:
        for document in (holding(), holding(tokens=[], token_logprobs=[]), holding(tokens=None)):
            assert is_untouched(ANSWER, document, tier({"logprobs": [Round(digits=0)]}))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"tokens": ["a"]},
            {"tokens": ["a"], "token_logprobs": [-1, -2]},
            {"tokens": [], "token_logprobs": [-1]},
            {"tokens": ["a"], "token_logprobs": ["-1"]},
            {"tokens": ["a"], "token_logprobs": [True]},
            {"tokens": ["a"], "token_logprobs": {"a": -1}},
            {"tokens": "a", "token_logprobs": [-1]},
            {"tokens": [1], "token_logprobs": [-1]},
            {"tokens": ["a"], "token_logprobs": [-1], "text_offset": ["0"]},
            {"tokens": ["a"], "token_logprobs": [-1], "text_offset": [0, 1]},
            {"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": [[-1]]},
            {"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": [{"a": "-1"}]},
            {"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": [{"a": {"b": 1}}]},
            {"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": {"a": -1}},
        ],
    )
    def test_what_are_no_columns_makes_the_answer_unreadable(self, wrong: dict[str, Any]) -> None:
        for edits in (OPEN, tier({"logprobs": [Round(digits=1)]})):
            with pytest.raises(UpstreamError):
                served(ANSWER, holding(**wrong), edits)

    def test_a_mutator_that_answers_with_another_kind_is_our_own_fault(self) -> None:
        def confused(_source: Source | None, prediction: Prediction) -> Prediction:
            return Score(0.5)

        with pytest.raises(TypeError, match="Score"):
            served(ANSWER, holding(**rows(("a", -1, None, 0))), {"logprobs": confused})


def test_the_model_is_the_name_the_client_used() -> None:
    assert served(ANSWER, DOCUMENT, {})[0]["model"] == MODEL


def test_streams_are_asked_for_their_counts_where_the_route_says_so() -> None:
    counting = OpenAICompletions(count_usage=True)
    asked = counting.read(orjson.dumps({**ASKED, "stream": True}), {}, Terms(KINDS))
    assert orjson.loads(asked.body)["stream_options"] == {"include_usage": True}
    assert asked.unasked == {"usage"}
    events = counting.answers()["text/event-stream"]
    assert isinstance(events, Events)
    assert events.counts == "usage"
