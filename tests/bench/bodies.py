"""What the benchmark asks, and what its model server answers.

The model's name says which answer is wanted, so that the same body is good for every listener.
"""

import random
from functools import cache
from typing import Any, Final

import numpy as np
import orjson
import pybase64

from extproc.dialects.kserve_v2_grpc import ANSWER
from extproc.dialects.protobuf import encode, written
from extproc.framing.frames import frame

CHAT: Final = "/v1/chat/completions"
EMBEDDINGS: Final = "/v1/embeddings"
KEY: Final = "xk-benchmark-only"

DIMENSIONS: Final = 1536
BATCH: Final = 64
LARGE: Final = 64_000_000
"""Bytes of the large answer, at least."""

EVENTS: Final = 100
"""Events of a paced stream; the first comes at once, the next after PAUSE."""
EVENT_EVERY: Final = 0.04
"""Seconds between two events of a paced stream."""
PAUSE: Final = 1.0
"""Seconds in which all streams of a measurement can begin before its events come."""
MARK: Final = b"~"
"""Stands once in each event and nowhere else, so that counting needs no framing."""


def request(path: str, body: bytes, key: str = KEY) -> bytes:
    """The bytes of one HTTP/1.1 request."""
    lines = (
        f"POST {path} HTTP/1.1",
        "host: models.example",
        f"authorization: Bearer {key}",
        "content-type: application/json",
        "accept: */*",
        "user-agent: extproc-bench",
        f"content-length: {len(body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def ask_chat(model: str = "chat", *, stream: bool = False) -> bytes:
    messages = [
        {"role": "system", "content": "You are a terse assistant."},
        {"role": "user", "content": "Say in two sentences what a proxy is. " * 3},
    ]
    asked = {"model": model, "messages": messages, "max_tokens": 128, "temperature": 0.2}
    return orjson.dumps({**asked, "stream": True} if stream else asked)


def ask_embeddings(model: str = "embedding") -> bytes:
    asked = {"model": model, "input": "a sentence to embed", "encoding_format": "float"}
    return orjson.dumps(asked)


def answers() -> dict[bytes, bytes]:
    """The documents, by the model that gives them."""
    return {
        b"chat": chat_answer(),
        b"embedding": embeddings_answer(),
        b"large": large_answer(),
    }


def chat_answer() -> bytes:
    """About 1 KB, with the fields that real servers add and that tiers do not name."""
    message = {"role": "assistant", "content": "A proxy stands between two parties. " * 14}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    details = {"cached_tokens": 0, "audio_tokens": 0}
    usage = {"prompt_tokens": 42, "completion_tokens": 84, "total_tokens": 126}
    return orjson.dumps(
        {
            "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
            "object": "chat.completion",
            "created": 1_741_569_952,
            "model": "chat",
            "choices": [choice],
            "usage": {**usage, "prompt_tokens_details": details},
            "service_tier": "default",
            "system_fingerprint": "fp_44709d6fcb",
        }
    )


def logprobs_answer(tokens: int = 200) -> bytes:
    """About 94 KB: a chat answer with five alternatives for each token."""
    values = random.Random(2)

    def token(text: str) -> dict[str, Any]:
        return {"token": text, "logprob": -values.random() * 9, "bytes": list(text.encode())}

    content = [
        token(f" word{number}") | {"top_logprobs": [token(f" w{number}{k}") for k in range(5)]}
        for number in range(tokens)
    ]
    answer = orjson.loads(chat_answer())
    answer["choices"][0]["logprobs"] = {"content": content, "refusal": None}
    return orjson.dumps(answer)


def event(model: str = "chat", *, logprobs: bool = False) -> bytes:
    """One server-sent event of a chat stream; without logprobs there is nothing to take out."""
    entry = {"token": " of", "logprob": -0.123456789, "bytes": [32, 111, 102], "top_logprobs": []}
    found = {"content": [entry], "refusal": None} if logprobs else None
    choice = {"index": 0, "delta": {"content": "of~"}, "logprobs": found, "finish_reason": None}
    chunk = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion.chunk",
        "created": 1_741_569_952,
        "model": model,
        "choices": [choice],
    }
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


@cache
def vector() -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Shape (DIMENSIONS,), of length 1."""
    noise = random.Random(1)
    values = np.array([noise.gauss(0, 1) for _ in range(DIMENSIONS)])
    return np.asarray(values / np.linalg.norm(values), np.float32)


def embeddings_answer(count: int = 1, *, encoded: bool = False) -> bytes:
    """Vectors as JSON numbers of nine digits, or as base64 of float32."""
    floats = [round(float(value), 9) for value in vector()]
    embedding: Any = pybase64.b64encode(vector().tobytes()).decode() if encoded else floats
    written = orjson.Fragment(orjson.dumps(embedding))
    data = [{"object": "embedding", "index": index, "embedding": written} for index in range(count)]
    usage = {"prompt_tokens": count, "total_tokens": count}
    return orjson.dumps({"object": "list", "data": data, "model": "embedding", "usage": usage})


def large_answer(size: int = LARGE) -> bytes:
    """As many vectors as make up this many bytes, or a few more."""
    one = len(embeddings_answer(2)) - len(embeddings_answer(1))
    return embeddings_answer(-(-size // one))


def kserve_answer() -> bytes:
    """Ten classes."""
    values = [0.5, 0.2, 0.1, 0.05, 0.05, 0.04, 0.03, 0.02, 0.006172839, 0.003827161]
    probabilities = {"name": "probabilities", "shape": [1, 10], "datatype": "FP64", "data": values}
    label = {"name": "label", "shape": [1], "datatype": "INT64", "data": [0]}
    return orjson.dumps(
        {"model_name": "digits", "model_version": "1", "outputs": [probabilities, label]}
    )


def infer_answer(values: "np.ndarray[Any, np.dtype[np.float32]]") -> bytes:
    """One tensor in its raw form, as a gRPC frame."""
    output = {"name": "output", "datatype": "FP32", "shape": b"".join(map(written, values.shape))}
    raw = memoryview(values.tobytes())
    answer = {"model_name": "m", "outputs": [output], "raw_output_contents": [raw]}
    return frame(encode(answer, ANSWER))
