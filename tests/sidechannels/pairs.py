"""What must not be told: six pairs of requests, each with the secret on one side."""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from tests.e2e.bodies import CHAT
from tests.e2e.gateway import KEYS

QUICK, SLOW = 0.002, 0.02
"""Seconds that the model server takes; less than one step of the grid, as the grid has to be."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests, as bytes on the wire, and what tells which is which."""

    name: str
    one: bytes
    other: bytes


def _request(key: str = KEYS["standard"], **asked: Any) -> bytes:
    """What the model server is to do stands in the message that it is asked about."""
    said = orjson.dumps({"seconds": QUICK, "text": "yes", **asked}).decode()
    model = str(asked.pop("model", "tiny-lm"))
    messages = [{"role": "user", "content": said}]
    body = orjson.dumps({"model": model, "messages": messages})
    head = (
        f"POST {CHAT} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


PAIRS: Final = (
    Pair("cache: miss or hit", _request(seconds=SLOW), _request(seconds=QUICK)),
    Pair("label: A or B", _request(text="hippopotamus"), _request(text="cat")),
    Pair("key: valid or invalid", _request(), _request(key="xk-nobody")),
    Pair("model: allowed or blocked", _request(), _request(model="gpt-secret")),
    Pair("output: long or short", _request(text="a" * 600, seconds=SLOW), _request(text="a")),
    Pair("stripped or not", _request(leaks=40), _request(leaks=0)),
)
