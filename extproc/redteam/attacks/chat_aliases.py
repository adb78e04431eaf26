"""The ways in which one chat completion may be asked for: paths, fields and forms of a body.

Rule: a way is tried as it stands, and is used where what comes back has log probabilities of the
tokens that were biased; whether it should have answered is not asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from extproc.redteam.request import Reply, Request

CHAT: Final = "/v1/chat/completions"
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Alias:
    name: str
    path: str = CHAT
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    written: Callable[[bytes], bytes] = bytes
    """What becomes of the JSON before it is sent."""

    def request(self, fields: Mapping[str, Any]) -> Request:
        body = self.written(orjson.dumps({**fields, **self.fields}))
        return Request(
            self.path, body, headers={"content-type": "application/json", **self.headers}
        )


ALIASES: Final = (
    Alias("chat"),
    Alias("trailing slash", CHAT + "/"),
    Alias("doubled slash", "/" + CHAT),
    Alias("query string", CHAT + "?api-version=1"),
    Alias("other case", "/V1/Chat/Completions"),
    Alias("escaped slash", "/v1/chat%2Fcompletions"),
    Alias("dotted path", "/v1/embeddings/../chat/completions"),
    Alias("no version", "/chat/completions"),
    Alias("completions", "/v1/completions"),
    Alias("responses", "/v1/responses"),
    Alias("stream", fields={"stream": True}),
    Alias("two choices", fields={"n": 2}),
    Alias("other path by header", headers={"x-envoy-original-path": "/healthz"}),
    Alias("plain text", headers={"content-type": "text/plain"}),
    Alias(
        "escaped name", written=lambda body: body.replace(b'"logit_bias"', b'"logit\\u005fbias"')
    ),
    Alias("name given twice", written=lambda body: body[:-1] + b',"logprobs":true,"logprobs":1}'),
)


def entries(reply: Reply) -> list[list[Entry]]:
    """Of each token of the first choice: the likeliest tokens with their log probabilities.

    Empty where none came, or the answer cannot be read.
    """
    if not reply.served:
        return []
    try:
        return [
            token.get("top_logprobs") or []
            for document in _documents(reply.body)
            for choice in document["choices"]
            if choice.get("index", 0) == 0 and choice.get("logprobs")
            for token in choice["logprobs"].get("content") or []
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def drawn(reply: Reply) -> list[Entry]:
    """The tokens that were drawn for all choices, each with its log probability; or none."""
    try:
        return [
            token
            for choice in _choices(reply)
            if choice.get("logprobs")
            for token in choice["logprobs"].get("content") or []
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def texts(reply: Reply) -> list[str]:
    """What the choices say, in their order; none where it cannot be read."""
    said: dict[int, str] = {}
    try:
        for choice in _choices(reply):
            part = choice.get("message") or choice.get("delta") or {}
            at = choice.get("index", 0)
            said[at] = said.get(at, "") + (part.get("content") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    return [said[at] for at in sorted(said)]


def _choices(reply: Reply) -> list[Any]:
    if not reply.served:
        return []
    return [choice for document in _documents(reply.body) for choice in document["choices"]]


def _documents(body: bytes) -> list[Any]:
    """One document, or those of a stream's events."""
    if not body.startswith(b"data:"):
        return [orjson.loads(body)]
    lines = [line[5:].strip() for line in body.splitlines() if line.startswith(b"data:")]
    return [orjson.loads(line) for line in lines if line != b"[DONE]"]
