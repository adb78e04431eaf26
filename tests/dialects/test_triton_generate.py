"""Triton's generate extension: text, and the log probabilities and logits beside it."""

from typing import Any

import orjson
import pytest

from extproc.dialects import TritonGenerate
from extproc.dialects.answers import Document, Events
from extproc.dialects.gate import Terms
from extproc.dialects.sampling import COLDEST
from extproc.dialects.shape import Rewrite
from extproc.dialects.told import Told
from extproc.draw import Source
from extproc.errors import ClientError, UpstreamError
from extproc.information import Measure, Sizes
from extproc.mutators import LabelOnly, Round
from extproc.prediction import KINDS, Kind, Logprobs, Prediction, Query, Score
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.tiers import MODEL, OPEN, Edits, is_untouched, served, tier

GENERATE = TritonGenerate()
ANSWER = GENERATE.answer()


def read(granted: Any = KINDS, repeatable: bool = True, **fields: Any) -> tuple[Any, Any]:
    asked = orjson.dumps({"text_input": "hello", **fields})
    terms = Terms(granted, repeatable=repeatable)
    done = GENERATE.read(asked, {"model": "ensemble"}, terms)
    return done, orjson.loads(done.body)


class TestRequest:
    def test_what_is_known_goes_on_byte_for_byte(self) -> None:
        original = body("triton_generate/request.json")
        asked = GENERATE.read(original, {"model": "ensemble"}, Terms(KINDS))
        assert (asked.body, asked.changed) == (original, {})
        assert asked.query == Query("ensemble", inputs=1, stream=True)
        assert asked.inputs == ("Write a haiku about pipes.",)

    @pytest.mark.parametrize(
        ("field", "kind"),
        [
            ("return_log_probs", "logprobs"),
            ("return_cumulative_logprob", "logprobs"),
            ("return_context_logits", "tensor"),
            ("return_generation_logits", "tensor"),
            ("return_logprobs", "tensor"),
            ("return_num_input_tokens", "usage"),
        ],
    )
    @pytest.mark.parametrize("nested", [True, False])
    def test_what_the_tier_does_not_grant_is_not_asked_for(
        self, field: str, kind: Kind, *, nested: bool
    ) -> None:
        fields: Any = {"parameters": {field: True}} if nested else {field: True}
        asked, sent = read({"text"}, **fields)
        assert field not in str(sent)
        assert asked.changed == {f"parameters.{field}" if nested else field: 1}
        assert field in str(read({kind}, **fields)[1])

    @pytest.mark.parametrize(
        "field",
        ["embedding_bias_words", "sampling_parameters", "prompt_embedding_table", "lora_weights"],
    )
    def test_a_tensor_that_is_not_known_is_refused(self, field: str) -> None:
        for fields in ({field: 1}, {"parameters": {field: 1}}):
            with pytest.raises(ClientError, match=field):
                read(**fields)

    def test_a_draw_is_not_repeated_where_that_may_not_be_asked(self) -> None:
        asked, sent = read(repeatable=False, temperature=0, random_seed=7, seed=7, top_k=1, top_p=0)
        assert sent == {"text_input": "hello", "temperature": COLDEST}
        assert asked.changed == dict.fromkeys(
            ("temperature", "random_seed", "seed", "top_k", "top_p"), 1
        )
        assert read(temperature=0, seed=7, top_k=1, top_p=0.1)[0].changed == {}

    @pytest.mark.parametrize(
        "mask", [{"bad_words": "no"}, {"bad_words": ["no"]}, {"ignore_eos": True}]
    )
    def test_a_mask_over_the_vocabulary_is_refused(self, mask: dict[str, Any]) -> None:
        with pytest.raises(ClientError, match="not available"):
            read(**mask)
        assert read(bad_words="", ignore_eos=False)[0].changed == {}

    def test_beams_are_bounded(self) -> None:
        assert read(beam_width=99)[1]["beam_width"] == 16

    @pytest.mark.parametrize("text", [None, 7, ["a"], {"a": 1}])
    def test_there_is_one_text(self, text: Any) -> None:
        with pytest.raises(ClientError, match="text_input"):
            read(text_input=text)


def shown(fields: dict[str, Any], edits: Edits) -> Any:
    return served(ANSWER, orjson.dumps(fields), edits)[0]


class TestAnswer:
    @pytest.mark.parametrize("document", answers("triton_generate"))
    def test_text_alone_is_all_that_a_tier_of_text_lets_through(self, document: bytes) -> None:
        answer, dropped = served(ANSWER, document, tier({"text": []}))
        assert "s3cret" not in str(answer)
        assert "31337" not in str(answer)
        assert answer["text_output"]
        assert answer["model_name"] == MODEL
        assert answer.keys() <= {
            *("id", "model_name", "text_output", "sequence_id", "sequence_index"),
            *("sequence_start", "sequence_end", "batch_index", "finish_reason"),
        }
        assert sum(dropped.values()) >= 4

    @pytest.mark.parametrize("document", answers("triton_generate"))
    def test_an_answer_of_known_fields_is_untouched(self, document: bytes) -> None:
        known, _ = served(ANSWER, document, OPEN)
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)

    def test_log_probabilities_are_rounded_as_probabilities(self) -> None:
        fields = {
            "output_log_probs": [[-0.105, -2.3026], [-50.0, 0]],
            "cum_log_probs": -2.4,
            "cumulative_logprob": [-0.6931],
        }
        answer = shown(fields, tier({"logprobs": [Round(digits=1)]}))
        assert answer == {
            "output_log_probs": [[-0.1054, -2.3026], [-2.3026, 0]],
            "cum_log_probs": -2.3026,
            "cumulative_logprob": [-0.6931],
        }

    def test_they_go_where_a_token_is_its_own_label(self) -> None:
        edits = tier({"logprobs": [LabelOnly()], "text": []})
        fields = {"text_output": "hi", "output_log_probs": [-1.5], "cum_log_probs": -1.5}
        assert shown(fields, edits) == {"text_output": "hi"}

    @pytest.mark.parametrize("wrong", ["-1.5", [["a"]], {"a": 1}, [[[[-1.0]]]], [True], [None]])
    @pytest.mark.parametrize("field", ["output_log_probs", "cum_log_probs"])
    def test_what_is_no_number_does_not_pass(self, field: str, wrong: Any) -> None:
        for edits in (OPEN, tier({"logprobs": [Round(digits=1)]})):
            with pytest.raises(UpstreamError, match="not an array of numbers"):
                shown({field: wrong}, edits)

    def test_logits_pass_only_where_tensors_do(self) -> None:
        fields = {"context_logits": [[31337.0]], "generation_logits": 0.0, "logprobs": "{}"}
        assert shown(fields, OPEN) == fields
        assert shown(fields, {"logprobs": None, "text": None}) == {}

    @pytest.mark.parametrize("field", ["text_output", "sequence_id", "num_input_tokens"])
    def test_beams_are_scalars(self, field: str) -> None:
        assert shown({field: [1, 2]}, OPEN) == {field: [1, 2]}
        for wrong in ({"a": 1}, [[1]], [{"a": 1}]):
            with pytest.raises(UpstreamError, match="not a scalar"):
                shown({field: wrong}, OPEN)

    def test_an_answer_that_reports_an_error_does_not_pass(self) -> None:
        with pytest.raises(UpstreamError, match="reports an error"):
            shown({"error": "s3cret"}, OPEN)

    def test_a_mutator_that_answers_with_another_kind_is_our_own_fault(self) -> None:
        def confused(_source: Source | None, prediction: Prediction) -> Prediction:
            assert isinstance(prediction, Logprobs)
            return Score(1.0)

        with pytest.raises(TypeError, match="Score"):
            shown({"cum_log_probs": -1.5}, {"logprobs": confused})


def test_beams_of_text_count_the_octets_they_are_written_in() -> None:
    run = Rewrite(OPEN, "m", told=Told(measure=Measure({"text": ()}, Sizes())))
    ANSWER.rewrite({"text_output": ["one", "three"]}, run, "")
    assert run.told.octets == {"text": len('["one","three"]') + 1}


def test_it_answers_with_a_document_or_a_stream() -> None:
    found = GENERATE.answers()
    assert isinstance(found["application/json"], Document)
    assert isinstance(found["text/event-stream"], Events)


def test_an_error_is_worded_as_triton_words_it() -> None:
    assert orjson.loads(GENERATE.error(UNKNOWN_MODEL)) == {"error": UNKNOWN_MODEL.message}


def test_both_counts_are_asked_for_where_the_route_says_so() -> None:
    counting = TritonGenerate(count_usage=True)
    asked = counting.read(b'{"text_input":"hi","return_num_input_tokens":true}', {}, Terms(()))
    sent = orjson.loads(asked.body)
    assert sent["return_num_input_tokens"] is sent["return_num_output_tokens"] is True
    assert asked.unasked == {"num_input_tokens", "num_output_tokens"}
    assert {*counting.answers()} == {*GENERATE.answers()}


def test_a_route_of_generate_asks_for_no_stream() -> None:
    whole = TritonGenerate(stream=False)
    assert whole.answers().keys() == {"application/json"}
    body = b'{"text_input":"x"}'
    assert not whole.read(body, {"model": "m"}, Terms(())).query.stream
    assert GENERATE.read(body, {"model": "m"}, Terms(())).query.stream
