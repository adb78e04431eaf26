"""Chat completions: what a client may ask for, and what of the answer passes at which tier."""

import math
from typing import Any, ClassVar

import hypothesis.strategies as st
import msgspec
import orjson
import pytest
from hypothesis import given
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from extproc.dialects import OpenAIChat
from extproc.dialects.answers import Events
from extproc.dialects.gate import Terms
from extproc.dialects.openai_chat import PADDING, Chunk
from extproc.dialects.openai_request import BROADEST, COLDEST
from extproc.dialects.shape import ABSENT, Rewrite
from extproc.draw import Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Drop, LabelOnly, Round, TopK
from extproc.prediction import KINDS, Kind, Prediction, Query, Score
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.openai_client import client_of
from tests.dialects.tiers import (
    MODEL,
    OPEN,
    Edits,
    is_untouched,
    leaves,
    released,
    served,
    tier,
)

CHAT = OpenAIChat()
ANSWER = CHAT.answer()
ASKED: dict[str, Any] = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}


def token(text: str, logprob: float, **more: Any) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode()), **more}


def entry(text: str, logprob: float, *others: dict[str, Any]) -> dict[str, Any]:
    return token(text, logprob, top_logprobs=list(others))


def with_logprobs(*entries: Any) -> bytes:
    return orjson.dumps({"choices": [{"logprobs": {"content": list(entries)}}]})


MESSAGE: dict[str, Any] = {
    "role": "assistant",
    "content": "4",
    "refusal": "no",
    "tool_calls": [
        {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "f", "arguments": "{}", "strict": True},
            "custom": {"name": "g", "input": "x", "format": "text"},
            "logprobs": [-0.5],
        }
    ],
    "function_call": {"name": "f", "arguments": "{}", "score": 0.5},
    "reasoning": "2+2",
    "reasoning_content": "2+2",
    "thinking_blocks": [{"type": "thinking", "thinking": "2+2", "signature": "x", "score": 1}],
    "reasoning_details": ["2+2"],
    "annotations": ["a"],
    "audio": {"id": "a", "data": "UklG"},
}
ENTRY = token("4", -0.5, top_logprobs=[token("4", -0.5, rank=1), token("5", -1.5)], rank=1)
EVERYTHING: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-2025-04-14",
    "system_fingerprint": "fp_1",
    "service_tier": "default",
    "choices": [
        {
            "index": 0,
            "message": MESSAGE,
            "delta": MESSAGE,
            "logprobs": {
                "content": [ENTRY],
                "refusal": [ENTRY],
                "token_logprobs": [-0.5],
                "top_logprobs": [{"4": -0.5}],
            },
            "finish_reason": "stop",
            "stop_reason": 151645,
            "token_ids": [19],
            "content_filter_results": {"hate": {"severity": "safe"}},
        }
    ],
    "usage": {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 1, "rejected_prediction_tokens": 0},
        "cost": 0.1,
    },
    "obfuscation": "x8",
    "moderation": {
        "input": {
            "type": "moderation_results",
            "model": "omni-1",
            "results": [
                {
                    "type": "moderation_result",
                    "model": "omni-1",
                    "flagged": True,
                    "categories": {"violence": True, "novelty": False},
                    "category_applied_input_types": {"violence": ["text"]},
                    "category_scores": {"violence": 0.87, "novelty": 0.1},
                }
            ],
        },
        "output": {"type": "error", "code": "c", "message": "m"},
    },
    "prompt_logprobs": [{"3838": {"logprob": -9.1, "rank": 2114}}],
    "prompt_token_ids": [3838],
    "kv_transfer_params": {"host": "10.0.0.7"},
    "provider": "local",
    "timings": {"predicted_ms": 31.25},
}
"""Every field of the API, and of the servers that speak it, that is known to tell something."""
MODERATED = "moderation.input.results[]"
STRUCTURE = {
    "moderation.input.type",
    "moderation.output.type",
    f"{MODERATED}.type",
    "id",
    "object",
    "created",
    "model",
    "obfuscation",
    "choices[].index",
    "choices[].finish_reason",
    "choices[].message.role",
    "choices[].delta.role",
}
CALLS = {"index", "id", "type", "function.name", "function.arguments", "custom.name"}
MESSAGE_TEXT = {"content", "refusal", "function_call.name", "function_call.arguments"}
MESSAGE_TEXT |= {f"tool_calls[].{name}" for name in (*CALLS, "custom.input")}
TOKEN = {"token", "logprob", "bytes[]"}
ENTRY_FIELDS = TOKEN | {f"top_logprobs[].{name}" for name in TOKEN}
LOGPROBS = {f"choices[].logprobs.{at}[].{f}" for at in ("content", "refusal") for f in ENTRY_FIELDS}
BY_KIND: dict[Kind, set[str]] = {
    "text": {f"choices[].{at}.{field}" for at in ("message", "delta") for field in MESSAGE_TEXT},
    "reasoning": {
        f"choices[].{at}.{field}"
        for at in ("message", "delta")
        for field in (
            "reasoning",
            "reasoning_content",
            *(f"thinking_blocks[].{name}" for name in ("type", "thinking", "signature")),
        )
    },
    "logprobs": LOGPROBS,
    "usage": {f"usage.{name}_tokens" for name in ("prompt", "completion", "total")},
    "identity": {
        "system_fingerprint",
        "service_tier",
        "moderation.input.model",
        f"{MODERATED}.model",
    },
    "label": {
        f"{MODERATED}.{name}"
        for name in ("flagged", "categories.violence", "category_applied_input_types.violence[]")
    },
    "score": {f"{MODERATED}.category_scores.violence"},
}
DETAILS = {
    "usage.prompt_tokens_details.cached_tokens",
    "usage.completion_tokens_details.reasoning_tokens",
    "usage.completion_tokens_details.rejected_prediction_tokens",
}


class TestRequest:
    def test_a_request_of_known_fields_goes_on_byte_for_byte(self) -> None:
        original = body("openai_chat/request.json")
        asked = CHAT.read(original, {}, Terms({"logprobs"}))
        assert asked.body is original
        assert asked.query == Query("gpt-4.1-mini", inputs=1, stream=True)

    def test_a_request_without_stream_asks_for_a_document(self) -> None:
        for stream in ({}, {"stream": None}, {"stream": False}):
            asked = CHAT.read(orjson.dumps(ASKED | stream), {}, Terms(()))
            assert asked.query == Query("gpt", inputs=1, stream=False)

    def test_logprobs_are_not_asked_for_where_they_are_not_granted(self) -> None:
        original = orjson.loads(body("openai_chat/request.json"))
        sent = orjson.loads(CHAT.read(body("openai_chat/request.json"), {}, Terms({"text"})).body)
        assert original.keys() - sent.keys() == {"logprobs", "top_logprobs"}
        assert sent.items() <= original.items()

    @pytest.mark.parametrize(
        "unknown",
        [
            "cache_salt",
            "chat_template_kwargs",
            "audio",
            "web_search_options",
            "Logprobs",
            "logprobs ",
            "",
        ],
    )
    def test_an_unknown_argument_is_refused(self, unknown: str) -> None:
        with pytest.raises(ClientError, match="Unrecognized request argument"):
            CHAT.read(orjson.dumps(ASKED | {unknown: True}), {}, Terms(KINDS))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("best_of", 2),
            ("echo", True),
            ("ignore_eos", True),
            ("use_beam_search", True),
            ("min_tokens", 5),
            ("allowed_token_ids", [1734]),
            ("bad_words", ["no"]),
            ("logits_processors", ["x.y"]),
            ("chat_template", "{{ messages }}"),
            ("vllm_xargs", {"x": 1}),
            ("kv_transfer_params", {"do_remote_decode": True}),
            ("modalities", ["text", "audio"]),
        ],
    )
    def test_what_would_change_the_answer_unseen_is_refused_whatever_the_policy_says(
        self, field: str, value: Any
    ) -> None:
        asked = orjson.dumps(ASKED | {field: value})
        for dialect in (CHAT, OpenAIChat(unknown="strip", allow_request=(field,))):
            with pytest.raises(ClientError, match=f"'{field}' has a value"):
                dialect.read(asked, {}, Terms(KINDS))

    def test_what_is_switched_off_goes_on(self) -> None:
        off: dict[str, Any] = dict.fromkeys(
            ("echo", "ignore_eos", "use_beam_search", "store"), False
        )
        nothing = dict.fromkeys(("allowed_token_ids", "bad_words", "chat_template", "best_of"))
        original = orjson.dumps(ASKED | off | nothing | {"min_tokens": 0, "modalities": ["text"]})
        assert CHAT.read(original, {}, Terms(())).body is original

    @pytest.mark.parametrize(
        ("field", "value", "kind"),
        [
            ("prompt_logprobs", 20, None),
            ("return_token_ids", True, None),
            ("return_tokens_as_token_ids", True, None),
            ("logprobs", True, "logprobs"),
            ("top_logprobs", 5, "logprobs"),
            ("prediction", {"type": "content", "content": "x"}, "usage_detail"),
            ("moderation", {"model": "omni", "policy": {"input": {"mode": "score"}}}, "score"),
            ("include_reasoning", True, "reasoning"),
        ],
    )
    def test_what_only_asks_to_be_told_more_is_taken_out(
        self, field: str, value: Any, kind: Kind | None
    ) -> None:
        original = orjson.dumps(ASKED | {field: value})
        others = Terms([each for each in KINDS if each != kind])
        asked = CHAT.read(original, {}, others)
        assert (orjson.loads(asked.body), asked.changed) == (ASKED, {field: 1})
        if kind is not None:
            assert CHAT.read(original, {}, Terms((kind,))).body is original

    def test_nothing_is_stored_and_events_are_obfuscated(self) -> None:
        options = {"include_usage": True, "include_obfuscation": False}
        asked = CHAT.read(
            orjson.dumps(ASKED | {"store": True, "stream_options": options}), {}, Terms(KINDS)
        )
        sent = orjson.loads(asked.body)
        assert sent["store"] is False
        assert sent["stream_options"] == {"include_usage": True, "include_obfuscation": True}
        assert asked.changed == {"store": 1, "stream_options.include_obfuscation": 1}

    def test_a_tenant_that_may_not_repeat_cannot_make_an_answer_repeat(self) -> None:
        cold = orjson.dumps(ASKED | {"seed": 7, "temperature": 0, "top_p": 0.01})
        sent = orjson.loads(CHAT.read(cold, {}, Terms((), repeatable=False)).body)
        assert sent == ASKED | {"temperature": COLDEST, "top_p": BROADEST}
        assert CHAT.read(cold, {}, Terms(())).body is cold

    def test_the_prompt_cache_is_salted_where_the_route_wants_it(self) -> None:
        terms = Terms(KINDS, salt="5a17")
        assert "cache_salt" not in orjson.loads(CHAT.read(orjson.dumps(ASKED), {}, terms).body)
        for chosen in ({}, {"cache_salt": "victims"}):
            asked = OpenAIChat(cache_salt=True).read(orjson.dumps(ASKED | chosen), {}, terms)
            assert orjson.loads(asked.body)["cache_salt"] == "5a17"
            assert asked.changed == {"cache_salt": 1}

    def test_an_escaped_name_is_the_name(self) -> None:
        escaped = orjson.dumps(ASKED)[:-1] + b',"\\u006cogprobs":true}'
        assert "logprobs" not in orjson.loads(CHAT.read(escaped, {}, Terms(())).body)

    def test_a_further_argument_passes_where_the_policy_names_it(self) -> None:
        original = orjson.dumps(ASKED | {"top_k": 5})
        assert OpenAIChat(allow_request=("top_k",)).read(original, {}, Terms(())).body is original

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"model": None}, "'model'"),
            ({"model": ""}, "'model'"),
            ({"model": 7}, "'model'"),
            ({"model": ["gpt"]}, "'model'"),
            ({"messages": None}, "'messages'"),
            ({"messages": "hi"}, "'messages'"),
            ({"messages": {}}, "'messages'"),
            ({"stream": "true"}, "'stream'"),
            ({"stream": 1}, "'stream'"),
            ({"n": 0}, "'n'"),
            ({"n": 129}, "'n'"),
            ({"n": -1}, "'n'"),
            ({"n": True}, "'n'"),
            ({"n": 2.0}, "'n'"),
            ({"n": "2"}, "'n'"),
            ({"n": 10**30}, "'n'"),
            ({"top_logprobs": -1}, "'top_logprobs'"),
            ({"top_logprobs": 21}, "'top_logprobs'"),
            ({"top_logprobs": True}, "'top_logprobs'"),
            ({"stream_options": {"include_usage": True, "continuous_usage_stats": True}}, "strea"),
            ({"stream_options": []}, "'stream_options'"),
        ],
    )
    def test_a_wrong_value_is_refused_by_the_fields_name(
        self, wrong: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(ClientError, match=words) as caught:
            CHAT.read(msgspec.json.encode(ASKED | wrong), {}, Terms(()))
        assert caught.value.refusal.status == 400

    @pytest.mark.parametrize("missing", ["model", "messages"])
    def test_what_the_api_requires_is_required(self, missing: str) -> None:
        rest = {name: value for name, value in ASKED.items() if name != missing}
        with pytest.raises(ClientError, match=missing):
            CHAT.read(orjson.dumps(rest), {}, Terms(()))

    @pytest.mark.parametrize("n", [None, 1, 128])
    def test_n_may_be_as_large_as_the_api_allows(self, n: int | None) -> None:
        assert CHAT.read(orjson.dumps(ASKED | {"n": n}), {}, Terms(())).query.inputs == 1

    @pytest.mark.parametrize(
        "logprobs",
        [{"logprobs": True}, {"logprobs": True, "top_logprobs": 5}, {"top_logprobs": 5}],
    )
    @pytest.mark.parametrize(
        "mask",
        [
            {"logit_bias": {"1734": -100}},
            {"guided_choice": ["a", "b"]},
            {"guided_regex": "a|b"},
            {"guided_json": {}, "guided_grammar": "root ::= [ab]"},
            {"structured_outputs": {"choice": ["a"]}},
            {"n": 2},
            {"response_format": {"type": "grammar", "grammar": "x"}},
            {"response_format": {"type": ["text"]}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"enum": ["a"]}},
                }
            },
            {"response_format": ["grammar"]},
            {"tools": [{"type": "custom", "custom": {"format": {"type": "grammar"}}}]},
            {"tools": ["grammar"]},
            {"tools": 5},
        ],
    )
    def test_a_mask_and_logprobs_together_are_refused(
        self, logprobs: dict[str, Any], mask: dict[str, Any]
    ) -> None:
        asked = orjson.dumps(ASKED | logprobs | mask)
        with pytest.raises(ClientError, match="cannot be combined"):
            CHAT.read(asked, {}, Terms({"logprobs"}))
        assert "logprobs" not in orjson.loads(CHAT.read(asked, {}, Terms(())).body)

    def test_free_json_and_functions_pass_beside_logprobs(self) -> None:
        asked = orjson.dumps(
            ASKED
            | {"logprobs": True, "response_format": {"type": "json_object"}}
            | {"tools": [{"type": "function", "function": {"name": "f"}}]}
        )
        assert CHAT.read(asked, {}, Terms({"logprobs"})).body is asked

    def test_no_more_alternatives_are_asked_for_than_are_shown(self) -> None:
        asked = orjson.dumps(ASKED | {"logprobs": True, "top_logprobs": 20})
        sent = CHAT.read(asked, {}, Terms({"logprobs"}, alternatives=2)).body
        assert orjson.loads(sent)["top_logprobs"] == 2

    @pytest.mark.parametrize(
        "fields",
        [
            {"logit_bias": {"1734": -100}},
            {"logit_bias": {"1734": -100}, "logprobs": False},
            {"logit_bias": {"1734": -100}, "logprobs": None, "top_logprobs": None},
            {"logit_bias": {}, "logprobs": True, "top_logprobs": 5},
            {"logit_bias": None, "logprobs": True},
        ],
    )
    def test_either_of_them_passes(self, fields: dict[str, Any]) -> None:
        original = orjson.dumps(ASKED | fields)
        assert CHAT.read(original, {}, Terms({"logprobs"})).body is original


class TestAnswer:
    @given(st.sets(st.sampled_from(KINDS)))
    def test_a_tier_passes_the_structure_and_the_fields_of_its_kinds(
        self, granted: set[Kind]
    ) -> None:
        shown, dropped = served(ANSWER, orjson.dumps(EVERYTHING), dict.fromkeys(granted))
        passing = STRUCTURE.union(*(BY_KIND.get(kind, set()) for kind in granted))
        if {"usage", "usage_detail"} <= granted:
            passing |= DETAILS
        if "score" not in granted:
            passing.add(f"{MODERATED}.category_scores")
        if "logprobs" not in granted:
            passing.add("choices[].logprobs")
            assert shown["choices"][0]["logprobs"] is None
        assert set(leaves(shown)) == passing
        assert shown["model"] == ("gpt-2025-04-14" if "identity" in granted else MODEL)
        assert dropped["*"] == 5
        assert dropped["choices[].*"] == 3

    def test_unknown_fields_are_counted_where_they_stood(self) -> None:
        _, dropped = served(ANSWER, orjson.dumps(EVERYTHING), OPEN)
        in_message = {
            "*": 3,
            "thinking_blocks[].*": 1,
            "tool_calls[].*": 1,
            "tool_calls[].function.*": 1,
        }
        in_message |= {"tool_calls[].custom.*": 1, "function_call.*": 1}
        in_entry = {"*": 1, "top_logprobs[].*": 1}
        assert dropped == {
            "*": 5,
            "choices[].*": 3,
            "choices[].logprobs.*": 2,
            "usage.*": 1,
            "moderation.output.*": 2,
            f"{MODERATED}.categories.*": 1,
            f"{MODERATED}.category_scores.*": 1,
            **{
                f"choices[].{at}.{p}": n
                for at in ("message", "delta")
                for p, n in in_message.items()
            },
            **{
                f"choices[].logprobs.{at}[].{p}": n
                for at in ("content", "refusal")
                for p, n in in_entry.items()
            },
        }

    @pytest.mark.parametrize("document", answers("openai_chat"))
    @pytest.mark.parametrize("granted", [(), ("text", "usage"), KINDS])
    def test_the_stock_client_reads_what_is_served(
        self, document: bytes, granted: tuple[Kind, ...]
    ) -> None:
        shown, _ = served(ANSWER, document, dict.fromkeys(granted))
        model = ChatCompletionChunk if shown["object"].endswith("chunk") else ChatCompletion
        # What a moderation lacks makes the client's own types no longer validate; it reads it.
        read = model.model_validate(shown | {"moderation": None})
        assert read.model == (orjson.loads(document)["model"] if "identity" in granted else MODEL)
        assert [choice.index for choice in read.choices] == list(range(len(read.choices)))
        assert not read.model_extra

    @pytest.mark.parametrize("granted", [(), ("text",), ("text", "logprobs", "usage"), KINDS])
    def test_the_stock_client_reads_documents_and_streams(self, granted: tuple[Kind, ...]) -> None:
        spoken, edits = CHAT.answers(), dict.fromkeys(granted)
        for document in answers("openai_chat")[:4]:
            shown = released(spoken["application/json"], document, edits)
            read = client_of(shown).chat.completions.create(model="m", messages=[])
            assert (read.choices[0].message.content is None) is (
                "text" not in granted or b'"content": null' in document
            )
        events = b"".join(
            b"data: " + line + b"\n\n" for line in body("openai_chat/stream.jsonl").splitlines()
        )
        shown = released(spoken["text/event-stream"], events + b"data: [DONE]\n\n", edits)
        with client_of(shown, "text/event-stream") as client:
            chunks = list(client.chat.completions.create(model="m", messages=[], stream=True))
        told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert told == ("Hello" if "text" in granted else "")
        assert (chunks[-1].usage is not None) is ("usage" in granted)
        assert any(c.choices and c.choices[0].logprobs for c in chunks) is ("logprobs" in granted)

    @pytest.mark.parametrize("document", answers("openai_chat"))
    def test_an_answer_of_known_fields_is_untouched(self, document: bytes) -> None:
        known, _ = served(ANSWER, document, OPEN)
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)
        assert is_untouched(ANSWER, orjson.dumps(known), tier({"logprobs": [TopK(k=20)]}) | _rest())

    def test_null_stays_null_and_absent_stays_absent(self) -> None:
        document = {"choices": [{"message": {"content": None, "refusal": None}}], "usage": None}
        for edits in (OPEN, {}):
            assert is_untouched(ANSWER, orjson.dumps(document), edits)
        nulls = {"choices": [{"logprobs": None, "delta": None}, None], "system_fingerprint": None}
        assert is_untouched(ANSWER, orjson.dumps(nulls), {})

    def test_closed_logprobs_are_null_for_clients_that_index_into_them(self) -> None:
        assert served(ANSWER, with_logprobs(entry("a", -1)), {}) == (
            {"choices": [{"logprobs": None}]},
            {"choices[].logprobs": 1},
        )

    def test_a_field_passes_where_the_policy_names_it(self) -> None:
        paths = ("choices.message.annotations", "usage.cost", "timings")
        tree = OpenAIChat(allow_response=paths).answer()
        shown, _ = served(tree, orjson.dumps(EVERYTHING), OPEN)
        assert shown["choices"][0]["message"]["annotations"] == ["a"]
        assert shown["timings"] == {"predicted_ms": 31.25}
        assert "annotations" not in shown["choices"][0]["delta"]
        closed, _ = served(tree, orjson.dumps(EVERYTHING), {})
        assert "usage" not in closed

    @pytest.mark.parametrize("path", ["choices", "choices.logprobs", "usage", "id.x", "no.x"])
    def test_a_policy_cannot_open_by_name_what_a_tier_decides(self, path: str) -> None:
        with pytest.raises(KeyError):
            OpenAIChat(allow_response=(path,)).answer()


def _rest() -> Edits:
    return {kind: None for kind in KINDS if kind != "logprobs"}


class TestLogprobs:
    def test_top_k_and_round_apply_to_every_token(self) -> None:
        edits = tier({"logprobs": [TopK(k=1), Round(digits=1)]})
        document = with_logprobs(entry("a", -0.4, token("a", -0.4), token("b", -1.2)))
        shown, dropped = served(ANSWER, document, edits)
        rounded = round(math.log(0.7), 4)
        assert shown["choices"][0]["logprobs"]["content"] == [
            entry("a", rounded, token("a", rounded))
        ]
        assert not dropped

    @pytest.mark.parametrize("place", ["content", "refusal"])
    @pytest.mark.parametrize("holder", ["message", "delta"])
    def test_all_four_places_are_edited(self, place: str, holder: str) -> None:
        choice = {holder: {"role": "assistant"}, "logprobs": {place: [entry("a", -0.7)]}}
        edits = tier({"logprobs": [Round(digits=0)]})
        shown, _ = served(ANSWER, orjson.dumps({"choices": [choice]}), edits)
        assert shown["choices"][0]["logprobs"][place][0]["logprob"] == 0

    @pytest.mark.parametrize("mutator", [LabelOnly(), Drop()])
    def test_entries_that_a_mutator_withholds_are_taken_out_and_counted(
        self, mutator: LabelOnly | Drop
    ) -> None:
        document = with_logprobs(entry("a", -1), entry("b", -2))
        assert served(ANSWER, document, tier({"logprobs": [mutator]})) == (
            {"choices": [{"logprobs": {"content": []}}]},
            {"choices[].logprobs.content[]": 2},
        )

    @pytest.mark.parametrize("document", answers("openai_chat"))
    def test_what_is_edited_keeps_its_shape(self, document: bytes) -> None:
        before, _ = served(ANSWER, document, OPEN)
        after, _ = served(ANSWER, document, tier({"logprobs": [Round(digits=2)]}) | _rest())
        assert list(leaves(before)) == list(leaves(after))

    def test_bytes_and_alternatives_that_are_absent_or_null_stay_so(self) -> None:
        for rest in ({}, {"bytes": None}, {"top_logprobs": None}, {"bytes": [97]}):
            document = with_logprobs({"token": "a", "logprob": -0.7, **rest})
            shown, _ = served(ANSWER, document, tier({"logprobs": [Round(digits=0)]}))
            assert shown["choices"][0]["logprobs"]["content"] == [
                {"token": "a", "logprob": 0.0, **rest}
            ]

    def test_an_alternative_without_the_bytes_its_chosen_token_has_is_untouched(self) -> None:
        document = with_logprobs(entry("a", -1, {"token": "b", "logprob": -2}))
        assert is_untouched(ANSWER, document, OPEN)

    def test_whole_numbers_are_untouched(self) -> None:
        assert is_untouched(ANSWER, with_logprobs(entry("a", 0, token("b", -9999))), OPEN)

    @pytest.mark.parametrize(
        "wrong",
        [
            None,
            "a",
            [],
            {},
            {"token": "a"},
            {"logprob": -1},
            {"token": None, "logprob": -1},
            {"token": 97, "logprob": -1},
            {"token": "a", "logprob": None},
            {"token": "a", "logprob": "-1"},
            {"token": "a", "logprob": True},
            {"token": "a", "logprob": False},
            {"token": "a", "logprob": [-1]},
            {"token": {"a": -1}, "logprob": -1},
            {"token": "a", "logprob": -1, "bytes": "YQ=="},
            {"token": "a", "logprob": -1, "bytes": [97, True]},
            {"token": "a", "logprob": -1, "bytes": [256]},
            {"token": "a", "logprob": -1, "bytes": [-1]},
            {"token": "a", "logprob": -1, "bytes": [0.5]},
            {"token": "a", "logprob": -1, "bytes": [[97]]},
            {"token": "a", "logprob": -1, "bytes": {"0": 97}},
        ],
    )
    def test_what_is_no_token_makes_the_answer_unreadable(self, wrong: Any) -> None:
        # Null is no drop and no token: the tree passes it, as it passes every null.
        documents = [with_logprobs(entry("a", -1, wrong))]
        documents += [with_logprobs(wrong)] if wrong is not None else []
        for document in documents:
            for edits in (OPEN, tier({"logprobs": [Round(digits=1)]})):
                with pytest.raises(UpstreamError):
                    served(ANSWER, document, edits)

    @pytest.mark.parametrize("wrong", ["a", 1, True, {}, {"a": -1}])
    def test_alternatives_are_an_array(self, wrong: Any) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, with_logprobs({**token("a", -1), "top_logprobs": wrong}), OPEN)

    def test_no_error_holds_a_token_or_a_number(self) -> None:
        with pytest.raises(UpstreamError) as caught:
            served(ANSWER, with_logprobs({"token": "secret", "logprob": [0.125]}), OPEN)
        assert "secret" not in str(caught.value)
        assert "0.125" not in str(caught.value)

    def test_a_mutator_that_answers_with_another_kind_is_our_own_fault(self) -> None:
        def confused(_source: Source | None, prediction: Prediction) -> Prediction:
            return Score(0.5)

        with pytest.raises(TypeError, match="Score"):
            served(ANSWER, with_logprobs(entry("a", -1)), {"logprobs": confused})


class TestAdversary:
    """A model server that answers whatever it likes: no value passes as another type."""

    @pytest.mark.parametrize("wrong", [{"logprobs": [-0.5]}, [["a", -0.5]]])
    @pytest.mark.parametrize(
        "path",
        ["id", "created", "model", "service_tier", "obfuscation", "system_fingerprint"],
    )
    def test_a_scalar_is_a_scalar(self, path: str, wrong: Any) -> None:
        with pytest.raises(UpstreamError, match=path):
            served(ANSWER, orjson.dumps({path: wrong}), OPEN)

    @pytest.mark.parametrize("wrong", [{"logprobs": [-0.5]}, [{"type": "text", "score": 0.5}]])
    @pytest.mark.parametrize("name", ["role", "content", "refusal", "reasoning"])
    def test_text_is_a_scalar(self, name: str, wrong: Any) -> None:
        document = orjson.dumps({"choices": [{"message": {name: wrong}}]})
        with pytest.raises(UpstreamError, match=name):
            served(ANSWER, document, OPEN)

    @pytest.mark.parametrize(
        "document",
        [
            b"[]",
            b'"text"',
            b"1",
            b'{"choices":{}}',
            b'{"choices":[[]]}',
            b'{"choices":["a"]}',
            b'{"choices":[{"message":"a"}]}',
            b'{"choices":[{"message":{"tool_calls":{}}}]}',
            b'{"choices":[{"message":{"tool_calls":[1]}}]}',
            b'{"choices":[{"message":{"tool_calls":[{"function":{"arguments":{"a":1}}}]}}]}',
            b'{"choices":[{"logprobs":[]}]}',
            b'{"choices":[{"logprobs":{"content":{}}}]}',
            b'{"usage":[1]}',
            b'{"usage":{"total_tokens":{"a":1}}}',
        ],
    )
    def test_another_shape_is_unreadable(self, document: bytes) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, document, OPEN)

    @pytest.mark.parametrize(
        "document", [body("openai_chat/failure.json"), b'{"choices":[],"error":{}}']
    )
    def test_an_answer_that_reports_an_error_does_not_pass(self, document: bytes) -> None:
        with pytest.raises(UpstreamError, match="reports an error") as caught:
            ANSWER.rewrite(orjson.loads(document), Rewrite({}, MODEL), "")
        assert "gpu-07" not in str(caught.value)


def test_an_error_has_openais_shape() -> None:
    assert orjson.loads(CHAT.error(UNKNOWN_MODEL))["error"]["code"] == "model_not_found"


def test_a_stream_ends_with_done() -> None:
    events = CHAT.answers()["text/event-stream"]
    assert events == Events(Chunk(CHAT.answer()), frozenset({b"[DONE]"}), padding=PADDING)


class TestChunk:
    """An event of which nothing is left would still tell that something was thought."""

    THOUGHT: ClassVar[dict[str, Any]] = {"index": 0, "delta": {"reasoning": "hm"}}
    TOLD: ClassVar[dict[str, Any]] = {"index": 1, "delta": {"content": "4"}}

    def left(self, edits: Edits, *choices: Any, **more: Any) -> Any:
        return Chunk(ANSWER).rewrite({"choices": list(choices), **more}, Rewrite(edits, MODEL), "")

    def test_an_event_whose_deltas_are_emptied_goes(self) -> None:
        for rest in ({}, {"usage": None}, {"obfuscation": "x"}):
            assert self.left({"text": None}, self.THOUGHT, self.THOUGHT, **rest) is ABSENT
        assert self.left({"reasoning": None}, self.TOLD) is ABSENT

    def test_an_event_that_still_tells_something_stays(self) -> None:
        ended = self.THOUGHT | {"finish_reason": "length"}
        for choices in ([self.THOUGHT, self.TOLD], [ended], [None, self.THOUGHT]):
            after = self.left({"text": None}, *choices)
            assert len(after["choices"]) == len(choices)
            assert "hm" not in str(after)
        counted = self.left({"usage": None}, self.THOUGHT, usage={"total_tokens": 1})
        assert counted["usage"] == {"total_tokens": 1}
        assert self.left({"reasoning": None}, self.THOUGHT)["choices"] == [self.THOUGHT]

    def test_an_event_that_was_empty_before_stays(self) -> None:
        for choices in ([], [{"index": 0, "delta": {}}], [{"index": 0, "delta": None}]):
            assert self.left({}, *choices, model="snapshot")["choices"] == choices


def test_a_policy_names_only_what_the_dialect_has() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "openai_chat", "allow_responses": []}, OpenAIChat)


def test_streams_are_asked_for_their_counts_where_the_route_says_so() -> None:
    counting = OpenAIChat(count_usage=True)
    asked = counting.read(orjson.dumps({**ASKED, "stream": True}), {}, Terms(KINDS))
    assert orjson.loads(asked.body)["stream_options"] == {"include_usage": True}
    assert asked.unasked == {"usage"}
    events = counting.answers()["text/event-stream"]
    assert isinstance(events, Events)
    assert events.counts == "usage"
