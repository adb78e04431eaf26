"""Gemini's content: thoughts, scores and counts by kind, in documents, arrays and events."""

from typing import Any

import orjson
import pytest

from extproc.dialects import GeminiGenerate
from extproc.dialects.answers import Array, Document, Events
from extproc.dialects.gate import Terms
from extproc.draw import Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Drop, Round, TopK
from extproc.prediction import KINDS, Kind, Logprobs, Prediction, Query, Token
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.replay import played, singly, walked
from tests.dialects.tiers import OPEN, Edits, is_untouched, leaves, served, tier

GEMINI, STREAM = GeminiGenerate(), GeminiGenerate(stream=True)
ANSWER = GEMINI.answer()
PATH = {"model": "gem"}
ASKED: dict[str, Any] = {"contents": [{"parts": [{"text": "hi"}]}]}
TEXT: Edits = {"text": None, "label": None}
JSON, SSE = "application/json", "text/event-stream"
DOCUMENT = body("gemini_generate/answer.json")
EVENTS = body("gemini_generate/stream.jsonl").splitlines()


def generation(**config: Any) -> bytes:
    return orjson.dumps(ASKED | {"generationConfig": config})


def candidate(edits: Edits, **fields: Any) -> Any:
    return served(ANSWER, orjson.dumps({"candidates": [fields]}), edits)[0]["candidates"][0]


class TestRequest:
    def test_a_request_of_known_fields_goes_on_byte_for_byte(self) -> None:
        original = body("gemini_generate/request.json")
        asked = GEMINI.read(original, PATH, Terms(KINDS))
        assert asked.body is original
        assert asked.query == Query("gem", inputs=1, stream=False)
        assert STREAM.read(original, PATH, Terms(KINDS)).query.stream

    def test_what_the_tier_does_not_grant_is_not_asked_for(self) -> None:
        asked = GEMINI.read(body("gemini_generate/request.json"), PATH, Terms({"text"}))
        config = orjson.loads(asked.body)["generationConfig"]
        assert config["thinkingConfig"] == {"thinkingBudget": 1024}
        assert not {"responseLogprobs", "logprobs"} & config.keys()
        assert asked.changed == {
            "generationConfig.thinkingConfig.includeThoughts": 1,
            "generationConfig.responseLogprobs": 1,
            "generationConfig.logprobs": 1,
        }

    def test_no_more_alternatives_are_asked_for_than_the_tier_shows(self) -> None:
        terms = Terms(KINDS, alternatives=2)
        asked = GEMINI.read(body("gemini_generate/request.json"), PATH, terms)
        assert orjson.loads(asked.body)["generationConfig"]["logprobs"] == 2

    def test_where_nothing_may_be_drawn_twice_sampling_is_not_chosen(self) -> None:
        asked = generation(seed=7, temperature=0, topK=1, topP=0.01, maxOutputTokens=5)
        read = GEMINI.read(asked, PATH, Terms((), repeatable=False))
        config = orjson.loads(read.body)["generationConfig"]
        assert config == {"temperature": 0.3, "maxOutputTokens": 5}

    @pytest.mark.parametrize("asking", [{"responseLogprobs": True}, {"logprobs": 5}])
    def test_logprobs_of_several_candidates_are_refused(self, asking: dict[str, Any]) -> None:
        for count in (2, [2]):
            with pytest.raises(ClientError, match="cannot be combined"):
                GEMINI.read(generation(candidateCount=count, **asking), PATH, Terms(KINDS))
        both = generation(candidateCount=2, **asking)
        left = GEMINI.read(both, PATH, Terms(())).body
        assert orjson.loads(left)["generationConfig"] == {"candidateCount": 2}
        one = generation(candidateCount=1, **asking)
        assert GEMINI.read(one, PATH, Terms(KINDS)).body is one

    @pytest.mark.parametrize("grammar", ["responseSchema", "responseJsonSchema"])
    @pytest.mark.parametrize("asking", [{"responseLogprobs": True}, {"logprobs": 5}])
    def test_a_grammar_and_logprobs_together_are_refused(
        self, grammar: str, asking: dict[str, Any]
    ) -> None:
        both = generation(**{grammar: {"type": "STRING", "enum": ["a"]}}, **asking)
        with pytest.raises(ClientError, match="cannot be combined"):
            GEMINI.read(both, PATH, Terms(KINDS))
        # Where the tier takes one of them out, the other is left.
        assert grammar in orjson.loads(GEMINI.read(both, PATH, Terms(())).body)["generationConfig"]
        off = generation(**{grammar: {}}, **asking)
        assert GEMINI.read(off, PATH, Terms(KINDS)).body is off

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"contents": None}, "'contents'"),
            ({"contents": "hi"}, "'contents'"),
            ({"generationConfig": []}, "'generationConfig'"),
            ({"generationConfig": {"x": 1}}, "generationConfig.x"),
            ({"generationConfig": {"thinkingConfig": {"x": 1}}}, "thinkingConfig.x"),
            ({"generationConfig": {"response_logprobs": True}}, "response_logprobs"),
            ({"generation_config": {"responseLogprobs": True}}, "generation_config"),
            ({"cachedContent": "cachedContents/x"}, "cachedContent"),
            ({"labels": {}}, "labels"),
            ({"model": "other"}, "model"),
        ],
    )
    @pytest.mark.parametrize("unknown", ["refuse", "strip"])
    def test_a_wrong_request_is_refused_by_the_fields_name(
        self, wrong: dict[str, Any], words: str, unknown: Any
    ) -> None:
        dialect, asked = GeminiGenerate(unknown=unknown), orjson.dumps(ASKED | wrong)
        stripped = {"generationConfig.x", "thinkingConfig.x", "cachedContent", "labels", "model"}
        if unknown == "strip" and words in stripped:
            assert words.encode() not in dialect.read(asked, PATH, Terms(KINDS)).body
            return
        with pytest.raises(ClientError, match=words) as caught:
            dialect.read(asked, PATH, Terms(KINDS))
        assert caught.value.refusal.status == 400

    def test_events_are_for_streams_alone(self) -> None:
        events = PATH | {"?alt": "sse"}
        assert STREAM.read(orjson.dumps(ASKED), events, Terms(())).query.stream
        with pytest.raises(ClientError, match="alt=sse"):
            GEMINI.read(orjson.dumps(ASKED), events, Terms(()))
        for dialect in (GEMINI, STREAM):
            dialect.read(orjson.dumps(ASKED), PATH | {"?alt": "json"}, Terms(()))

    def test_what_keys_a_draw_is_the_instruction_and_the_contents(self) -> None:
        asked = orjson.dumps(ASKED | {"systemInstruction": "s"})
        assert GEMINI.read(asked, PATH, Terms(())).inputs == (("s", ASKED["contents"]),)


AT = "candidates[]."
KEPT = {
    *(f"{AT}{name}" for name in ("index", "finishReason", "content.role", "content.parts[]")),
    *(f"{AT}safetyRatings[].{name}" for name in ("category", "blocked")),
    "promptFeedback.safetyRatings[].category",
    "responseId",
}
ENTRY = {"token", "logProbability"}
BY_KIND: dict[Kind, set[str]] = {
    "score": {f"{AT}safetyRatings[].{name}Score" for name in ("probability", "severity")},
    "label": {
        "promptFeedback.safetyRatings[].probability",
        *(f"{AT}safetyRatings[].{name}" for name in ("probability", "severity")),
    },
    "logprobs": {
        f"{AT}avgLogprobs",
        f"{AT}logprobsResult.logProbabilitySum",
        *(f"{AT}logprobsResult.chosenCandidates[].{name}" for name in ENTRY),
        *(f"{AT}logprobsResult.topCandidates[].candidates[].{name}" for name in ENTRY),
    },
    "reasoning": {f"{AT}content.parts[].{name}" for name in ("thought", "thoughtSignature")},
    "usage": {f"usageMetadata.{name}TokenCount" for name in ("prompt", "candidates", "total")},
    "usage_detail": {f"{AT}tokenCount"},
    "timing": {"createTime"},
    "identity": {"modelVersion"},
}
"""What each kind adds by itself; ``text`` is written out below."""


class TestAnswer:
    @pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "text"])
    def test_a_kind_adds_its_own_fields_and_no_others(self, kind: Kind) -> None:
        assert {*leaves(served(ANSWER, DOCUMENT, {})[0])} == KEPT
        shown = {*leaves(served(ANSWER, DOCUMENT, {kind: None})[0])}
        assert shown - KEPT == BY_KIND.get(kind, set())

    def test_everything_known_passes_where_everything_is_granted(self) -> None:
        left, dropped = served(ANSWER, DOCUMENT, OPEN)
        assert dropped == {
            "candidates[].logprobsResult.chosenCandidates[].*": 1,
            "candidates[].logprobsResult.topCandidates[].candidates[].*": 1,
            "candidates[].groundingMetadata.groundingSupports[].*": 1,
        }
        assert is_untouched(ANSWER, orjson.dumps(left), OPEN)
        assert left.keys() == orjson.loads(DOCUMENT).keys()

    def test_nothing_but_text_and_labels_passes_where_those_are_granted(self) -> None:
        left, _ = served(ANSWER, DOCUMENT, TEXT)
        assert b"s3cret" not in orjson.dumps(left)
        assert b"31337" not in orjson.dumps(left)
        assert left.keys() == {"candidates", "promptFeedback", "responseId"}
        (only,) = left["candidates"]
        assert [next(iter(part)) for part in only["content"]["parts"]] == [
            "text",
            "functionCall",
            "executableCode",
            "codeExecutionResult",
            "inlineData",
        ]
        assert only["safetyRatings"] == [
            {
                "category": "HARM_CATEGORY_HARASSMENT",
                "probability": "NEGLIGIBLE",
                "severity": "HARM_SEVERITY_NEGLIGIBLE",
                "blocked": False,
            }
        ]

    @pytest.mark.parametrize("edits", [OPEN, TEXT, {}, {"usage": None}, {"logprobs": None}])
    def test_large_documents_are_rewritten_like_small_ones(self, edits: Edits) -> None:
        nulls = b'{"usageMetadata":null,"candidates":[null,{"content":{"parts":[null]}}]}'
        for document in (DOCUMENT, *EVENTS, nulls):
            left, _ = served(ANSWER, document, edits)
            assert orjson.loads(walked(ANSWER, document, edits)) == left

    @pytest.mark.parametrize("thought", [False, None])
    def test_a_part_that_is_no_thought_is_text(self, thought: bool | None) -> None:
        part = {"text": "a", "thought": thought}
        assert candidate(TEXT, content={"parts": [part]}) == {"content": {"parts": [part]}}

    @pytest.mark.parametrize("thought", [1, "true", "s3cret", [], {}])
    def test_what_may_be_a_thought_makes_the_answer_unreadable(self, thought: Any) -> None:
        for edits in (OPEN, TEXT):
            with pytest.raises(UpstreamError, match=r"parts\[\].thought is not a boolean"):
                candidate(edits, content={"parts": [{"text": "a", "thought": thought}]})

    def test_an_error_makes_the_answer_unreadable(self) -> None:
        with pytest.raises(UpstreamError, match="reports an error"):
            served(ANSWER, b'{"error":{"code":500,"message":"s3cret"}}', OPEN)

    def test_a_policy_adds_fields_by_their_path(self) -> None:
        allowed = GeminiGenerate(
            allow_response=(
                "modelStatus",
                "candidates.content.parts.partMetadata",
                "usageMetadata.cost",
            )
        ).answer()
        part = {"text": "a", "partMetadata": {"x": [1]}}
        document = {"candidates": [{"content": {"parts": [part]}}], "modelStatus": {"m": 1}}
        assert is_untouched(allowed, orjson.dumps(document), OPEN)
        thoughts = {"candidates": [{"content": {"parts": [part | {"thought": True}]}}]}
        assert served(allowed, orjson.dumps(thoughts), TEXT)[0] == {
            "candidates": [{"content": {"parts": []}}]
        }
        with pytest.raises(KeyError):
            GeminiGenerate(allow_response=("candidates.content.parts.thought",)).answer()


class TestUsage:
    def usage(self, edits: Edits, **counts: Any) -> Any:
        return served(ANSWER, orjson.dumps({"usageMetadata": counts}), edits)[0]["usageMetadata"]

    def test_thoughts_are_output_where_they_are_not_counted_by_themselves(self) -> None:
        """Else the total, less the prompt and the output, told how long it thought."""
        counted = {"promptTokenCount": 10, "candidatesTokenCount": 60, "totalTokenCount": 70}
        for thoughts in (0, 48, 60):
            counts = counted | {
                "candidatesTokenCount": 60 - thoughts,
                "thoughtsTokenCount": thoughts,
            }
            assert self.usage({"usage": None}, **counts) == counted
            assert self.usage(OPEN, **counts) == counts

    def test_counts_that_are_not_there_are_not_made_up(self) -> None:
        for counts in (
            {"promptTokenCount": 10, "totalTokenCount": 58},
            {"candidatesTokenCount": 1, "totalTokenCount": 58},
            {"promptTokenCount": 10, "candidatesTokenCount": 1},
            {"promptTokenCount": None, "candidatesTokenCount": 1, "totalTokenCount": 3},
        ):
            assert self.usage({"usage": None}, **counts) == counts
        assert served(ANSWER, b'{"usageMetadata":null}', {"usage": None})[0] == {
            "usageMetadata": None
        }

    @pytest.mark.parametrize("name", ["promptTokenCount", "totalTokenCount"])
    @pytest.mark.parametrize("wrong", [0.5, True, "7"])
    def test_what_cannot_be_subtracted_makes_the_answer_unreadable(
        self, name: str, wrong: Any
    ) -> None:
        counts = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
        with pytest.raises(UpstreamError, match="holds a count that is no whole number"):
            self.usage({"usage": None}, **(counts | {name: wrong}))


RATING = {"category": "C", "probabilityScore": 0.0731, "severityScore": 1}


class TestScores:
    def test_they_pass_as_the_tier_makes_them(self) -> None:
        rounded = candidate(tier({"score": [Round(digits=1)]}), safetyRatings=[RATING])
        assert rounded["safetyRatings"] == [
            {"category": "C", "probabilityScore": 0.1, "severityScore": 1.0}
        ]
        whole = candidate({"score": None}, safetyRatings=[RATING])
        assert whole["safetyRatings"] == [RATING]
        dropped = candidate(tier({"score": [Drop()]}), safetyRatings=[RATING])
        assert dropped["safetyRatings"] == [{"category": "C"}]

    @pytest.mark.parametrize("wrong", ["0.5", True, [0.5]])
    def test_what_is_no_number_makes_the_answer_unreadable(self, wrong: Any) -> None:
        with pytest.raises(UpstreamError, match="probabilityScore is not a number"):
            candidate(OPEN, safetyRatings=[{"probabilityScore": wrong}])

    def test_a_mutator_that_answers_with_another_kind_is_our_own_fault(self) -> None:
        def confused(_source: Source | None, _prediction: Prediction) -> Prediction:
            return Logprobs(Token("", -1.0), ())

        with pytest.raises(TypeError, match="Logprobs"):
            candidate({"score": confused}, safetyRatings=[RATING])

    def test_they_keep_their_digits_where_a_mutator_has_nothing_to_do(self) -> None:
        document = orjson.dumps({"candidates": [{"safetyRatings": [{"severityScore": 0.5}]}]})
        assert is_untouched(ANSWER, document, tier({"score": [Round(digits=1)]}))


class TestStream:
    def test_it_is_an_array_or_events_where_a_stream_was_asked_for(self) -> None:
        assert {name: type(answer) for name, answer in STREAM.answers().items()} == {
            JSON: Array,
            SSE: Events,
        }
        assert {name: type(answer) for name, answer in GEMINI.answers().items()} == {JSON: Document}

    @pytest.mark.parametrize(
        "edits", [OPEN, TEXT, {}, tier({"usage": (), "logprobs": [TopK(k=1)]})]
    )
    def test_array_and_events_hold_the_same_documents(self, edits: Edits) -> None:
        array = b"[" + b",\r\n".join(EVENTS) + b"]\n"
        events = b"".join(b"data: " + each + b"\r\n\r\n" for each in EVENTS)
        left = [served(ANSWER, each, edits)[0] for each in EVENTS]
        for pieces in ([array], singly(array)):
            assert orjson.loads(played(STREAM.answers(), JSON, pieces, edits)) == left
        for pieces in ([events], singly(events)):
            out = played(STREAM.answers(), SSE, pieces, edits)
            read = [orjson.loads(each[6:]) for each in out.splitlines() if each]
            assert read == left
        assert (b"s3cret" in played(STREAM.answers(), SSE, [events], edits)) is (edits is OPEN)

    @pytest.mark.parametrize("media_type", [JSON, SSE])
    def test_an_error_in_the_stream_ends_it(self, media_type: str) -> None:
        error = b'{"error":{"code":500,"message":"s3cret"}}'
        broken = b"[" + EVENTS[0] + b"," + error + b"]" if media_type == JSON else b"data: " + error
        with pytest.raises(UpstreamError):
            played(STREAM.answers(), media_type, [broken], OPEN)

    def test_a_document_is_no_array(self) -> None:
        with pytest.raises(UpstreamError):
            played(STREAM.answers(), JSON, [DOCUMENT], OPEN)
        with pytest.raises(UpstreamError):
            played(GEMINI.answers(), JSON, [b"[" + DOCUMENT + b"]"], OPEN)


@pytest.mark.parametrize("document", answers("gemini_generate"))
@pytest.mark.parametrize("granted", [(), ("text",), ("text", "usage"), KINDS])
def test_what_is_served_again_is_untouched(document: bytes, granted: tuple[Kind, ...]) -> None:
    edits: Edits = dict.fromkeys(granted)
    left, _ = served(ANSWER, document, edits)
    assert is_untouched(ANSWER, orjson.dumps(left), edits)


def test_an_error_has_googles_shape() -> None:
    assert orjson.loads(GEMINI.error(UNKNOWN_MODEL))["error"]["status"] == "NOT_FOUND"
