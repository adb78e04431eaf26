from typing import Any

import msgspec
import pytest

from extproc.demo.server.apis.chat_request import MAX_PROMPT, ChatRequest, check
from extproc.demo.server.errors import ApiError
from extproc.demo.server.models.sampling import Sampling


def _request(**fields: Any) -> ChatRequest:
    body = {"model": "tiny-lm", "messages": [{"role": "user", "content": "Hello"}]} | fields
    return msgspec.json.decode(msgspec.json.encode(body), type=ChatRequest)


def test_what_is_not_said_takes_openais_defaults() -> None:
    for nothing in (_request(), _request(temperature=None, n=None, stop=None, logit_bias=None)):
        assert nothing.sampling == Sampling(max_tokens=128)
        assert (nothing.choices, nothing.stops, nothing.wants_usage) == (1, [], False)
        assert nothing.reasoning is None


def test_what_is_said_is_honoured() -> None:
    said = _request(
        max_completion_tokens=3,
        max_tokens=9,
        temperature=0,
        top_p=0.5,
        top_logprobs=2,
        logit_bias={"7": -100},
        n=2,
        stop="x",
        stream_options={"include_usage": True},
        reasoning_effort="high",
    )
    assert said.sampling == Sampling(3, 0, 0.5, 2, {7: -100})
    assert (said.choices, said.stops, said.wants_usage) == (2, ["x"], True)
    assert said.reasoning == Sampling(max_tokens=32, temperature=0)


def test_text_is_read_from_strings_and_parts_in_one_line() -> None:
    parts = [{"type": "text", "text": "a\n b"}, {"type": "text", "text": "c"}]
    messages = [
        {"role": "system", "content": " x  y\n"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None},
    ]
    assert _request(messages=messages).texts == ["x y", "a b c", ""]


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": []},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "text": ""}]}]},
        {"temperature": 2.1},
        {"top_p": 0},
        {"top_logprobs": 21},
        {"n": 9},
        {"max_tokens": 0},
        {"max_completion_tokens": 16385},
        {"stop": ["a", "b", "c", "d", "e"]},
        {"stop": ""},
        {"logit_bias": {"1024": 1}},
        {"logit_bias": {"one": 1}},
        {"logit_bias": {"1": 101}},
        {"logit_bias": {str(token): 1 for token in range(301)}},
        {"reasoning_effort": "endless"},
    ],
)
def test_what_is_out_of_bounds_does_not_fit(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        _request(**wrong)


def test_alternatives_need_logprobs() -> None:
    check(_request(logprobs=True, top_logprobs=3))
    with pytest.raises(ApiError, match="needs 'logprobs'"):
        check(_request(top_logprobs=3))


def test_a_prompt_is_bounded_over_all_messages() -> None:
    half = {"role": "user", "content": "x" * (MAX_PROMPT // 2)}
    check(_request(messages=[half, half]))
    with pytest.raises(ApiError) as refused:
        check(_request(messages=[half, half, {"role": "user", "content": "x"}]))
    assert refused.value.code == "context_length_exceeded"
