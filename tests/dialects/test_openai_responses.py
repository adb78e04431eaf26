"""Responses: what may be asked for, and that what is told twice is told alike."""

from typing import Any

import orjson
import pytest

from extproc.dialects import OpenAIResponses
from extproc.dialects.answers import Document, Events
from extproc.dialects.gate import Terms
from extproc.errors import ClientError
from extproc.mutators import Round, TopK
from extproc.prediction import KINDS, Kind, Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.openai_client import client_of
from tests.dialects.tiers import OPEN, Edits, released, tier

RESPONSES = OpenAIResponses()
ASKED: dict[str, Any] = {"model": "gpt", "input": "hi"}
SENT = ASKED | {"store": False}
LOGPROBS = "message.output_text.logprobs"
LINES = body("openai_responses/stream.jsonl").splitlines()
STREAM = b"".join(
    b"event: " + orjson.loads(line)["type"].encode() + b"\ndata: " + line + b"\n\n"
    for line in LINES
)
TIERS: dict[str, Edits] = {
    "closed": {},
    "text": dict.fromkeys(("text", "label")),
    "reasoned": dict.fromkeys(("text", "reasoning")),
    "rounded": tier(
        {
            "text": [],
            "usage": [],
            "logprobs": [TopK(k=1), Round(digits=1)],
            "score": [Round(digits=1)],
        }
    ),
    "open": OPEN,
}


def streamed(edits: Edits, size: int = 0) -> list[dict[str, Any]]:
    shown = released(RESPONSES.answers()["text/event-stream"], STREAM, edits, size=size)
    assert b"s3cret" not in shown
    blocks = [block.split(b"\ndata: ") for block in shown.split(b"\n\n")[:-1]]
    events = [orjson.loads(data) for _, data in blocks]
    assert [name for name, _ in blocks] == [b"event: " + e["type"].encode() for e in events]
    return events


class TestRequest:
    def test_a_request_of_known_fields_goes_on_byte_for_byte(self) -> None:
        original = body("openai_responses/request.json")
        asked = RESPONSES.read(original, {}, Terms({"logprobs", "reasoning"}))
        assert asked.body is original
        assert asked.query == Query("gpt-5", inputs=1, stream=True)

    def test_nothing_is_stored(self) -> None:
        for store in ({}, {"store": True}):
            asked = RESPONSES.read(orjson.dumps(ASKED | store), {}, Terms(KINDS))
            assert (orjson.loads(asked.body), asked.changed) == (SENT, {"store": 1})

    @pytest.mark.parametrize(
        ("entry", "kind"), [(LOGPROBS, "logprobs"), ("reasoning.encrypted_content", "reasoning")]
    )
    def test_what_is_included_is_gated_by_its_kind(self, entry: str, kind: Kind) -> None:
        asked = orjson.dumps(SENT | {"include": [entry, "file_search_call.results"]})
        assert RESPONSES.read(asked, {}, Terms({kind})).body is asked
        sent = RESPONSES.read(asked, {}, Terms([each for each in KINDS if each != kind]))
        assert orjson.loads(sent.body) == SENT | {"include": ["file_search_call.results"]}
        assert sent.changed == {"include[]": 1}

    def test_what_the_client_sent_is_not_sent_back(self) -> None:
        echo = ["message.input_image.image_url", "computer_call_output.output.image_url"]
        sent = RESPONSES.read(orjson.dumps(ASKED | {"include": echo}), {}, Terms(KINDS))
        assert orjson.loads(sent.body)["include"] == []

    @pytest.mark.parametrize("summary", ["summary", "generate_summary"])
    def test_a_summary_of_the_reasoning_is_reasoning(self, summary: str) -> None:
        asked = orjson.dumps(SENT | {"reasoning": {"effort": "low", summary: "auto"}})
        sent = RESPONSES.read(asked, {}, Terms({"text"}))
        assert orjson.loads(sent.body)["reasoning"] == {"effort": "low"}
        assert RESPONSES.read(asked, {}, Terms({"reasoning"})).body is asked

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"previous_response_id": "resp_of_another"}, "previous_response_id"),
            ({"conversation": "conv_of_another"}, "conversation"),
            ({"background": True}, "background"),
            ({"prompt": {"id": "pmpt_1"}}, "prompt"),
            ({"previous_input_messages": []}, "previous_input_messages"),
            ({"include": ["message.output_text.logits"]}, "include"),
            ({"include": [["message.output_text.logprobs"]]}, "include"),
            ({"include": LOGPROBS}, "include"),
            ({"tools": [{"type": "computer_use_preview"}]}, "tool"),
            ({"tools": [{"type": ["function"]}]}, "tool"),
            ({"tools": ["function"]}, "tool"),
            ({"enable_response_messages": True}, "enable_response_messages"),
            ({"top_logprobs": 21}, "top_logprobs"),
            ({"top_logprobs": -1}, "top_logprobs"),
            ({"logits_processors": ["x"]}, "logits_processors"),
            ({"kv_transfer_params": {}}, "kv_transfer_params"),
            ({"input": None}, "'input'"),
            ({"input": []}, "'input'"),
            ({"model": 1}, "'model'"),
            ({"stream": "yes"}, "'stream'"),
            ({"stream_options": {"include_usage": True}}, "stream_options"),
            ({"text": {"format": {}, "logprobs": True}}, "text.logprobs"),
        ],
    )
    def test_a_wrong_value_is_refused_by_the_fields_name(
        self, wrong: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(ClientError, match=words):
            RESPONSES.read(orjson.dumps(ASKED | wrong), {}, Terms(KINDS))

    @pytest.mark.parametrize("logprobs", [{"top_logprobs": 2}, {"include": [LOGPROBS]}])
    @pytest.mark.parametrize(
        "mask",
        [
            {"logit_bias": {"1": 5}},
            {"structured_outputs": {"choice": ["a"]}},
            {"tools": [{"type": "custom", "name": "x", "format": {"type": "grammar"}}]},
            {"text": {"format": {"type": "grammar"}}},
            {"text": {"format": "grammar"}},
            {"text": {"format": {"type": "json_schema", "schema": {"enum": ["a", "b"]}}}},
        ],
    )
    def test_a_mask_and_logprobs_together_are_refused(
        self, logprobs: dict[str, Any], mask: dict[str, Any]
    ) -> None:
        asked = orjson.dumps(ASKED | logprobs | mask)
        with pytest.raises(ClientError, match="cannot be combined"):
            RESPONSES.read(asked, {}, Terms({"logprobs"}))
        assert RESPONSES.read(asked, {}, Terms(())).query.inputs == 1

    def test_tools_and_free_json_pass_beside_logprobs(self) -> None:
        asked = orjson.dumps(
            SENT
            | {"include": [LOGPROBS], "text": {"format": {"type": "json_object"}}}
            | {"tools": [{"type": "web_search"}, {"type": "custom", "name": "x"}]}
        )
        assert RESPONSES.read(asked, {}, Terms({"logprobs"})).body is asked

    def test_a_search_of_files_has_no_threshold_that_would_tell_scores_exactly(self) -> None:
        ranked = {"type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 3}
        asked = SENT | {"tools": [ranked | {"ranking_options": {"score_threshold": 0.5}}]}
        sent = RESPONSES.read(orjson.dumps(asked), {}, Terms(KINDS))
        assert orjson.loads(sent.body)["tools"] == [ranked | {"ranking_options": {}}]
        assert sent.changed == {"tools[].ranking_options.score_threshold": 1}
        odd = orjson.dumps(SENT | {"tools": [ranked | {"return_vectors": True}]})
        with pytest.raises(ClientError, match="return_vectors"):
            RESPONSES.read(odd, {}, Terms(KINDS))

    def test_events_are_obfuscated_and_the_prompt_cache_is_salted(self) -> None:
        options = {"stream_options": {"include_obfuscation": False}}
        dialect = OpenAIResponses(cache_salt=True)
        asked = dialect.read(orjson.dumps(ASKED | options), {}, Terms(KINDS, salt="5a17"))
        sent = orjson.loads(asked.body)
        assert sent["stream_options"] == {"include_obfuscation": True}
        assert sent["cache_salt"] == "5a17"


class TestDocument:
    @pytest.mark.parametrize("name", TIERS)
    @pytest.mark.parametrize("document", answers("openai_responses")[:2])
    def test_no_secret_passes_and_the_stock_client_reads_the_rest(
        self, document: bytes, name: str
    ) -> None:
        shown = released(RESPONSES.answers()["application/json"], document, TIERS[name])
        assert b"s3cret" not in shown
        read = client_of(shown).responses.create(model="m", input="i")
        whole = orjson.loads(document)
        text = whole["output"][-1 if "Qwen" in str(whole) else 3]["content"][-1]["text"]
        assert read.output_text == (text if "text" in TIERS[name] else "")
        kinds = [item.type for item in read.output]
        assert ("reasoning" in kinds) is ("reasoning" in TIERS[name])

    def test_a_policy_may_name_a_field_of_the_response_in_documents_and_events(self) -> None:
        spoken = OpenAIResponses(allow_response=("metadata",)).answers()
        document = body("openai_responses/answer.json")
        assert b'"metadata":{"k":"s3cret"}' in released(spoken["application/json"], document, {})
        assert b'"metadata":{"k":"s3cret"}' in released(spoken["text/event-stream"], STREAM, {})


class TestStream:
    @pytest.mark.parametrize("name", TIERS)
    def test_the_stock_client_reads_what_is_left(self, name: str) -> None:
        edits = TIERS[name]
        shown = released(RESPONSES.answers()["text/event-stream"], STREAM, edits)
        client = client_of(shown, "text/event-stream")
        with client.responses.stream(model="m", input="i") as stream:
            seen = list(stream)
            final = stream.get_final_response()
        assert final.output_text == ("Hello" if "text" in edits else "")
        assert [event.sequence_number for event in seen] == list(range(len(seen)))

    @pytest.mark.parametrize("name", TIERS)
    def test_the_whole_response_at_the_end_is_the_document(self, name: str) -> None:
        document = released(
            RESPONSES.answers()["application/json"],
            body("openai_responses/answer.json"),
            TIERS[name],
        )
        last = streamed(TIERS[name])[-1]
        assert last["type"] == "response.completed"
        assert last["response"] == orjson.loads(document)

    @pytest.mark.parametrize("name", TIERS)
    def test_every_place_tells_the_same(self, name: str) -> None:
        events = streamed(TIERS[name])
        by_type: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            by_type.setdefault(event["type"].removeprefix("response."), []).append(event)
        items = [event["item"] for event in by_type["output_item.done"]]
        assert items == by_type["completed"][0]["response"]["output"]
        assert [e["output_index"] for e in by_type["output_item.added"]] == list(range(len(items)))
        message = next(item for item in items if item["type"] == "message")
        if "text" not in TIERS[name]:
            assert message["content"] == []
            assert "output_text.delta" not in by_type
            return
        (part,) = message["content"]
        assert [e["part"] for e in by_type["content_part.done"] if "annotations" in e["part"]] == [
            part
        ]
        assert part["text"] == "".join(e["delta"] for e in by_type["output_text.delta"])
        told = [entry["logprob"] for e in by_type["output_text.delta"] for entry in e["logprobs"]]
        done = by_type["output_text.done"][0]
        assert told == [entry["logprob"] for entry in done["logprobs"]]
        assert told == [entry["logprob"] for entry in part["logprobs"]]
        assert bool(told) is ("logprobs" in TIERS[name])
        assert {e["content_index"] for e in by_type["output_text.delta"]} == {0}

    @pytest.mark.parametrize("name", TIERS)
    def test_nothing_depends_on_how_it_was_cut(self, name: str) -> None:
        assert streamed(TIERS[name]) == streamed(TIERS[name], size=11)


def test_a_response_is_read_as_json_and_as_named_events() -> None:
    spoken = RESPONSES.answers()
    assert isinstance(spoken["application/json"], Document)
    events = spoken["text/event-stream"]
    assert isinstance(events, Events)
    assert events.named


def test_an_error_has_openais_shape() -> None:
    assert orjson.loads(RESPONSES.error(UNKNOWN_MODEL))["error"]["code"] == "model_not_found"
