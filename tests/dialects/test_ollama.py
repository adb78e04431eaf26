"""What Ollama's APIs share: the terms of a request, the costs of an answer, the error."""

from typing import Any

import orjson
import pytest

from extproc.dialects.answers import Document, Lines, streamed
from extproc.dialects.gate import Changes, Object, Terms
from extproc.dialects.ollama import ANSWER, OPTIONS, TEXT, OllamaText
from extproc.dialects.request import Admitted
from extproc.dialects.shape import Fields, Node
from extproc.errors import ClientError
from extproc.prediction import KINDS, Query
from extproc.refusal import UNKNOWN_MODEL
from tests.dialects.tiers import OPEN, served


class Shared(OllamaText, frozen=True):
    def gate(self) -> Object:
        return Object(TEXT)

    def tree(self) -> Node:
        return Fields(ANSWER)


SHARED = Shared()
ASKED: dict[str, Any] = {"model": "qwen"}
COSTS = {
    "total_duration": 4,
    "load_duration": 1,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 1,
    "eval_count": 2,
    "eval_duration": 2,
}


def admitted(terms: Terms, **more: Any) -> Admitted:
    return SHARED.admit(orjson.dumps(ASKED | more), SHARED.gate(), terms)


def sent(terms: Terms, **more: Any) -> dict[str, Any]:
    left: dict[str, Any] = orjson.loads(admitted(terms, **more).body)
    return {name: value for name, value in left.items() if name != "model"}


@pytest.mark.parametrize(
    ("more", "stream"),
    [({}, True), ({"stream": None}, True), ({"stream": True}, True), ({"stream": False}, False)],
)
def test_a_stream_is_what_is_asked_for_by_saying_nothing(
    more: dict[str, Any], *, stream: bool
) -> None:
    query = SHARED.query(admitted(Terms(()), **more))
    assert query == Query("qwen", inputs=1, stream=stream)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"model": None}, "'model'"),
        ({"model": ""}, "'model'"),
        ({"model": ["qwen"]}, "'model'"),
        ({"stream": 0}, "'stream'"),
        ({"stream": "false"}, "'stream'"),
    ],
)
def test_a_wrong_value_is_refused_by_the_fields_name(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        SHARED.query(admitted(Terms(()), **wrong))


@pytest.mark.parametrize("asking", [{"logprobs": True}, {"top_logprobs": 3}])
@pytest.mark.parametrize("grammar", ["json", {"type": "object"}])
def test_a_grammar_and_logprobs_together_are_refused(asking: dict[str, Any], grammar: Any) -> None:
    with pytest.raises(ClientError, match="cannot be combined"):
        SHARED.query(admitted(Terms(KINDS), format=grammar, **asking))
    SHARED.query(admitted(Terms(()), format=grammar, **asking))
    SHARED.query(admitted(Terms(KINDS), format="", **asking))


def test_logprobs_are_asked_for_as_far_as_they_are_shown() -> None:
    asking = {"logprobs": True, "top_logprobs": 20}
    assert sent(Terms(()), **asking) == {}
    shown = sent(Terms({"logprobs"}, alternatives=2), **asking)
    assert shown == {"logprobs": True, "top_logprobs": 2}


@pytest.mark.parametrize("think", [True, "low", "high", 1])
def test_a_model_is_told_not_to_think_where_thoughts_are_not_shown(think: Any) -> None:
    assert sent(Terms(()), think=think) == {"think": False}
    assert admitted(Terms(()), think=think).changed == {"think": 1}
    assert sent(Terms({"reasoning"}), think=think) == {"think": think}


@pytest.mark.parametrize("think", [False, None])
def test_not_to_think_may_be_asked_for_by_anybody(think: Any) -> None:
    for terms in (Terms(()), Terms({"reasoning"})):
        assert not admitted(terms, think=think).changed


@pytest.mark.parametrize("time", ["5m", 0, -1, None])
def test_how_long_a_model_stays_loaded_is_not_said(time: Any) -> None:
    assert sent(Terms(KINDS), keep_alive=time) == {}


def test_options_steer_the_draw_as_far_as_it_may_be_steered() -> None:
    options = {"seed": 7, "temperature": 0, "top_k": 1, "top_p": 0.1, "min_p": 1, "mirostat": 2}
    assert sent(Terms(()), options=options) == {"options": options}
    narrow = Terms((), repeatable=False)
    asked = {**options, "num_predict": 5, "typical_p": 0.1, "tfs_z": 0.1}
    assert sent(narrow, options=asked) == {"options": {"temperature": 0.3, "num_predict": 5}}


@pytest.mark.parametrize(
    "name", ["num_gpu", "logits_all", "use_mmap", "numa", "num_thread", "Seed", "top-k", "x"]
)
def test_how_a_model_is_loaded_is_not_an_option(name: str) -> None:
    with pytest.raises(ClientError, match="Unrecognized request argument: 'options"):
        OPTIONS.admit({name: 1}, Changes(Terms(KINDS)), "options")


def test_durations_are_timing_and_counts_are_usage() -> None:
    document = orjson.dumps(COSTS | {"created_at": "2026-01-01T00:00:00.31Z", "done": True})
    tree = SHARED.answer()
    assert served(tree, document, {})[0] == {"done": True}
    counts, _ = served(tree, document, {"usage": None})
    assert counts == {"prompt_eval_count": 26, "eval_count": 2, "done": True}
    times, _ = served(tree, document, {"timing": None})
    assert times.keys() == COSTS.keys() - counts.keys() | {"created_at", "done"}
    assert served(tree, document, OPEN)[0] == orjson.loads(document)


def test_an_answer_is_lines_or_a_document() -> None:
    answers = SHARED.answers()
    assert {name: type(answer) for name, answer in answers.items()} == {
        "application/json": Document,
        "application/x-ndjson": Lines,
    }
    assert streamed(answers["application/x-ndjson"])


def test_an_error_is_a_message_alone() -> None:
    assert orjson.loads(SHARED.error(UNKNOWN_MODEL)) == {"error": UNKNOWN_MODEL.message}
