from collections import Counter

from extproc.demo.server.apis.chat_shapes import (
    Head,
    Logprobs,
    Said,
    choice,
    deltas,
    opening,
    usage,
)
from extproc.demo.server.apis.text import Piece
from extproc.demo.server.models.prompt_cache import Prompt
from extproc.demo.server.models.sampling import Sampled

SPELLINGS = [b"", b"Hi", b"\xc3", b"\xa9"]
HI = Sampled(1, -0.5, [(1, -0.5), (0, -1.5)])
ASKED, UNASKED = Logprobs(SPELLINGS, asked=True), Logprobs(SPELLINGS, asked=False)
HEAD = Head("chatcmpl-1", 7, "tiny-lm", "fp_1")


def test_a_token_comes_with_its_bytes_and_alternatives() -> None:
    hi = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105]}
    end = {"token": "", "logprob": -1.5, "bytes": []}
    assert ASKED.render([HI]) == {"content": [hi | {"top_logprobs": [hi, end]}], "refusal": None}
    assert UNASKED.render([HI]) is None


def test_half_a_character_is_exact_only_in_its_bytes() -> None:
    rendered = ASKED.render([Sampled(2, -1, ())])
    assert rendered is not None
    assert (rendered["content"][0]["token"], rendered["content"][0]["bytes"]) == ("�", [0xC3])


def test_a_choice_joins_its_pieces_and_keeps_reasoning_apart() -> None:
    said = [
        Said(0, "reasoning_content", Piece("Hm", [HI], "length")),
        Said(0, "content", Piece("Hi", [HI])),
        Said(0, "content", Piece("", [], "stop")),
    ]
    rendered = choice(0, said, ASKED)
    assert rendered["message"] == {
        "role": "assistant",
        "content": "Hi",
        "reasoning_content": "Hm",
        "refusal": None,
        "annotations": [],
    }
    assert (rendered["finish_reason"], len(rendered["logprobs"]["content"])) == ("stop", 1)
    assert "reasoning_content" not in choice(0, said[1:], UNASKED)["message"]


def test_the_last_piece_gives_its_text_before_the_end() -> None:
    last = deltas(Said(1, "content", Piece("Hi", [HI], "stop")), UNASKED)
    assert [one["delta"] for one in last] == [{"content": "Hi"}, {}]
    assert [one["finish_reason"] for one in last] == [None, "stop"]
    assert [one["index"] for one in last] == [1, 1]


def test_reasoning_has_neither_logprobs_nor_an_end() -> None:
    (only,) = deltas(Said(0, "reasoning_content", Piece("Hm", [HI], "length")), ASKED)
    assert only["delta"] == {"reasoning_content": "Hm"}
    assert (only["logprobs"], only["finish_reason"]) == (None, None)


def test_documents_and_chunks_have_openais_keys_in_openais_order() -> None:
    keys = ["id", "object", "created", "model", "choices"]
    end = ["service_tier", "system_fingerprint"]
    assert list(HEAD.document([], {})) == [*keys, "usage", *end]
    assert list(HEAD.chunk([opening(0)])) == [*keys, *end]
    assert list(opening(0)) == ["index", "delta", "logprobs", "finish_reason"]


def test_usage_adds_up() -> None:
    counted = usage(Prompt([1, 2, 3], 2), Counter({"content": 5, "reasoning_content": 4}))
    assert counted == {
        "prompt_tokens": 3,
        "completion_tokens": 9,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
