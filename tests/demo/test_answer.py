from base64 import b64encode
from typing import Any

import numpy as np
import pytest

from extproc.demo import answer as read
from extproc.demo.answer import Answer
from tests.demo import fabricated
from tests.demo.fabricated import answer, case_of


def _said(name: str) -> Answer:
    return fabricated.observed().says(case_of(name))


def test_a_document_and_a_stream_of_the_same_chat_read_the_same() -> None:
    assert read.chat(_said("chat, document")) == read.chat(_said("chat, stream"))


def test_a_chat_is_read_from_all_events_of_a_stream() -> None:
    token = {"token": "a", "logprob": -1.5, "top_logprobs": [{"token": "b", "logprob": -0.5}]}
    deltas = [
        {"delta": {"role": "assistant", "content": ""}, "logprobs": None},
        {"delta": {"reasoning_content": "Hm"}, "logprobs": None},
        {"delta": {"content": "Py"}, "logprobs": {"content": [token]}},
        {"delta": {"content": "thon"}, "logprobs": {"content": [token]}},
    ]
    events: list[dict[str, Any]] = [{"choices": [delta], "usage": None} for delta in deltas]
    said = read.chat(answer([*events, {"choices": [], "usage": {"total_tokens": 9}}], stream=True))

    assert (said.text, said.reasoning, said.usage) == ("Python", "Hm", {"total_tokens": 9})
    assert said.tokens == [token, token]
    assert said.logprobs == [-1.5, -0.5, -1.5, -0.5]


def test_what_a_chat_does_not_tell_is_none() -> None:
    message = {"content": "Yes", "refusal": None}
    said = read.chat(answer([{"choices": [{"message": message, "logprobs": None}]}]))
    assert (said.reasoning, said.tokens, said.fingerprint, said.usage) == 4 * (None,)
    assert said.logprobs == []


def test_both_encodings_of_a_vector_read_the_same() -> None:
    plain, encoded = _said("embeddings, float"), _said("embeddings, base64")
    assert read.embedding(plain) == read.embedding(encoded) == fabricated.VECTOR


def test_a_float32_reads_as_its_shortest_decimals() -> None:
    text = b64encode(np.array([0.1], "<f4").tobytes()).decode()
    assert read.decoded(text) == [0.1]


def test_outputs_are_read_by_name() -> None:
    found = read.outputs(_said("infer, logits"))
    assert found == {
        "probabilities": fabricated.PROBABILITIES,
        "label": [2],
        "logits": fabricated.LOGITS,
    }


def test_places_are_dotted_paths_without_indices() -> None:
    found = read.places(answer([{"choices": [{"index": 0, "delta": {"a": None}}], "usage": None}]))
    assert found == {"choices", "choices.index", "choices.delta", "choices.delta.a", "usage"}


@pytest.mark.parametrize("reader", [read.outputs, read.embedding, read.chat])
@pytest.mark.parametrize(
    "unreadable",
    [Answer(0), answer([{"error": {}}]), answer([], stream=True), Answer(200, {}, b"[1]")],
)
def test_what_is_not_of_its_api_is_refused(reader: Any, unreadable: Answer) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        reader(unreadable)
