"""Requests and answers of the three APIs, and readers of answers."""

import random
from typing import Any

import numpy as np
import orjson
import pybase64

from tests.e2e.gateway import KEYS

CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"
INFER = "/v2/models/digits/infer"
SECRET = "0.123456789012345"
"""Digits of full precision: no tier but full may let them out."""


def headers(tenant: str = "standard") -> dict[str, str]:
    return {"authorization": f"Bearer {KEYS[tenant]}", "content-type": "application/json"}


def chat_request(**fields: Any) -> bytes:
    messages = [{"role": "user", "content": "hello"}]
    return orjson.dumps({"model": "tiny-lm", "messages": messages, **fields})


def infer_request() -> bytes:
    image = {"name": "image", "shape": [1, 2], "datatype": "FP32", "data": [0.0, 1.0]}
    return orjson.dumps({"inputs": [image]})


def infer_answer() -> bytes:
    """Full-precision probabilities that round to 0.61, 0.27 and 0.12, and a tail."""
    values = [0.01, 0.6061728394506173, 0.2671604938271605, 0.116666666722222]
    outputs = [
        {"name": "probabilities", "shape": [1, 4], "datatype": "FP64", "data": values},
        {"name": "label", "shape": [1], "datatype": "INT64", "data": [1]},
        {"name": "logits", "shape": [1, 1], "datatype": "FP64", "data": [float(SECRET)]},
    ]
    return orjson.dumps({"model_name": "digits", "model_version": "7", "outputs": outputs})


def chat_answer() -> bytes:
    entry = {"token": "hi", "logprob": -float(SECRET), "bytes": [104, 105], "top_logprobs": []}
    message = {"role": "assistant", "content": "hi", "reasoning_content": "private thoughts"}
    choice = {
        "index": 0,
        "message": message,
        "logprobs": {"content": [entry], "refusal": None},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return orjson.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "tiny-lm-snapshot-2026",
            "choices": [choice],
            "usage": {**usage, "prompt_tokens_details": {"cached_tokens": 1}},
            "system_fingerprint": "fp_1",
        }
    )


def chat_chunk(content: str = "hi", **more: Any) -> bytes:
    delta = {"content": content, "reasoning_content": "private thoughts"}
    entry = {"token": content, "logprob": -float(SECRET), "bytes": None, "top_logprobs": []}
    choice = {
        "index": 0,
        "delta": delta,
        "logprobs": {"content": [entry], "refusal": None},
        "finish_reason": None,
    }
    return orjson.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "tiny-lm",
            "choices": [choice],
            **more,
        }
    )


def chat_stream(*contents: str) -> bytes:
    events = [chat_chunk(content) for content in contents]
    return b"".join(b"data: " + event + b"\n\n" for event in (*events, b"[DONE]"))


def vector(seed: int, dimensions: int = 384) -> list[float]:
    noise = random.Random(seed)
    return [noise.gauss(0, 0.05) for _ in range(dimensions)]


def embeddings_answer(count: int = 1, dimensions: int = 384, *, encoded: bool = False) -> bytes:
    def embedding(index: int) -> Any:
        values = vector(index, dimensions)
        raw = np.array(values, "<f4").tobytes()
        return pybase64.b64encode(raw).decode() if encoded else values

    data = [
        {"object": "embedding", "index": index, "embedding": embedding(index)}
        for index in range(count)
    ]
    usage = {"prompt_tokens": count, "total_tokens": count}
    return orjson.dumps({"object": "list", "data": data, "model": "minilm", "usage": usage})


def embeddings_request(**fields: Any) -> bytes:
    return orjson.dumps({"model": "minilm", "input": "hello", **fields})
