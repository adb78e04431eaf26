"""An answer in a few short lines, for people: what it tells, aspect by aspect.

Rule: "…" after a number says that the answer gives more digits than are shown.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from extproc.demo import answer as read
from extproc.demo.answer import Answer, Chat
from extproc.demo.cases import API

Preview = Mapping[str, str]
"""By aspect, in the order to show."""

ABSENT: Final = "absent"
NULL: Final = "null"
REFUSED: Final = "no answer"
"""The only aspect of what is none."""

_NUMBERS: Final = 3
_DECIMALS: Final = 4
_TEXT: Final = 24


def preview(api: API, answer: Answer, direct: Answer) -> Preview:
    """The aspects of the model server's own answer, as they are in this one."""
    if answer.status != 200:
        return {REFUSED: str(answer.status)}
    try:
        got, said = _aspects(api, answer, direct), _aspects(api, direct, direct)
    except (LookupError, TypeError, ValueError):
        return {REFUSED: "unreadable"}
    return {name: got.get(name, ABSENT) for name, text in said.items() if text != NULL}


def _aspects(api: API, answer: Answer, direct: Answer) -> Preview:
    match api:
        case "infer":
            return _infer(read.outputs(answer))
        case "embeddings":
            return _vector(read.embedding(answer), read.embedding(direct))
        case "chat":
            return _chat(read.chat(answer))


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors as far as both go: what a shorter one says of the longer one's head."""
    pairs = list(zip(one, other, strict=False))
    lengths = math.hypot(*(a for a, _ in pairs)) * math.hypot(*(b for _, b in pairs))
    return sum(a * b for a, b in pairs) / lengths if lengths else 0.0


def number(value: float) -> str:
    """At most four decimals."""
    exact = repr(value).removesuffix(".0")
    short = f"{value:.{_DECIMALS}f}"
    return exact if len(exact) <= len(short) else f"{short}…"


def _infer(outputs: Mapping[str, Sequence[float]]) -> Preview:
    likeliest = sorted((value for value in outputs["probabilities"] if value), reverse=True)
    shown = {"probabilities": _numbers(likeliest), "label": str(outputs["label"][0])}
    return shown | ({"logits": _numbers(outputs["logits"])} if "logits" in outputs else {})


def _vector(values: Sequence[float], direct: Sequence[float]) -> Preview:
    return {
        "vector": _numbers(values, more=False),
        "dimensions": str(len(values)),
        "different values": str(len(set(values))),
        "cosine": f"{cosine(values, direct):.5f}",
    }


def _chat(said: Chat) -> Preview:
    aspects = {
        "text": _start(said.text),
        "reasoning": said.reasoning and _start(said.reasoning),
        "logprobs": NULL if said.tokens is None else _numbers(_chosen(said)),
        "alternatives": said.tokens and f"{_alternatives(said)} per token",
        "fingerprint": said.fingerprint,
        "usage": said.usage and f"{said.usage['total_tokens']} tokens",
    }
    return {name: text for name, text in aspects.items() if text}


def _chosen(said: Chat) -> list[float]:
    return [token["logprob"] for token in said.tokens or ()]


def _alternatives(said: Chat) -> int:
    return max(len(token["top_logprobs"]) for token in said.tokens or ())


def _start(text: str) -> str:
    short = text.strip()
    return short if len(short) <= _TEXT else f"{short[:_TEXT].rstrip()}…"


def _numbers(values: Sequence[float], *, more: bool = True) -> str:
    rest = len(values) - _NUMBERS
    return " ".join(map(number, values[:_NUMBERS])) + (f" +{rest}" if more and rest > 0 else "")
