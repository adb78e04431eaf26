"""What a chat completion looks like on the wire, as a document and as the chunks of a stream."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from extproc.demo.server.apis.text import Piece
from extproc.demo.server.models.prompt_cache import Prompt
from extproc.demo.server.models.sampling import Sampled

Part = Literal["reasoning_content", "content"]


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of one choice, and which part of the message it belongs to."""

    choice: int
    part: Part
    piece: Piece


@dataclass(frozen=True, slots=True)
class Head:
    """What every chunk of one completion repeats; ``created`` in seconds since 1970."""

    id: str
    created: int
    model: str
    fingerprint: str

    def document(self, choices: Sequence[Any], usage: Any) -> dict[str, Any]:
        return {
            **self._fields("chat.completion", choices),
            "usage": usage,
            "service_tier": "default",
            "system_fingerprint": self.fingerprint,
        }

    def chunk(self, choices: Sequence[Any]) -> dict[str, Any]:
        return {
            **self._fields("chat.completion.chunk", choices),
            "service_tier": "default",
            "system_fingerprint": self.fingerprint,
        }

    def _fields(self, kind: str, choices: Sequence[Any]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }


@dataclass(frozen=True, slots=True)
class Logprobs:
    """Renders log-probabilities when they are asked for, and null when not."""

    spellings: Sequence[bytes]
    asked: bool

    def render(self, tokens: Sequence[Sampled]) -> dict[str, Any] | None:
        if not self.asked:
            return None
        return {"content": [self._token(token) for token in tokens], "refusal": None}

    def _token(self, sampled: Sampled) -> dict[str, Any]:
        alternatives = [self._entry(token, logprob) for token, logprob in sampled.alternatives]
        return {**self._entry(sampled.token, sampled.logprob), "top_logprobs": alternatives}

    def _entry(self, token: int, logprob: float) -> dict[str, Any]:
        spelling = self.spellings[token]
        text = spelling.decode("utf-8", "replace")
        return {"token": text, "logprob": logprob, "bytes": list(spelling)}


def choice(index: int, said: Sequence[Said], logprobs: Logprobs) -> dict[str, Any]:
    """One whole choice of a document, from all that was said in it."""
    content = [one.piece for one in said if one.part == "content"]
    reasoning = [one.piece.text for one in said if one.part == "reasoning_content"]
    message: dict[str, Any] = {"role": "assistant", "content": _joined(content)}
    if reasoning:
        message["reasoning_content"] = "".join(reasoning)
    return {
        "index": index,
        "message": message | {"refusal": None, "annotations": []},
        "logprobs": logprobs.render([token for piece in content for token in piece.tokens]),
        "finish_reason": content[-1].finish,
    }


def opening(index: int) -> dict[str, Any]:
    return _delta(index, {"role": "assistant", "content": "", "refusal": None})


def deltas(said: Said, logprobs: Logprobs) -> Sequence[dict[str, Any]]:
    """The choices of the chunks that carry one piece: its text, and the end if it is the last."""
    piece = said.piece
    found = []
    if piece.text:
        rendered = logprobs.render(piece.tokens) if said.part == "content" else None
        found.append(_delta(said.choice, {said.part: piece.text}, logprobs=rendered))
    if piece.finish and said.part == "content":
        found.append(_delta(said.choice, {}, finish=piece.finish))
    return found


def usage(prompt: Prompt, tokens: Counter[Part]) -> dict[str, Any]:
    """Of all choices together; reasoning counts as completion, as OpenAI counts it."""
    completion = tokens.total()
    return {
        "prompt_tokens": len(prompt.tokens),
        "completion_tokens": completion,
        "total_tokens": len(prompt.tokens) + completion,
        "prompt_tokens_details": {"cached_tokens": prompt.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens["reasoning_content"]},
    }


def _joined(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _delta(
    index: int, delta: dict[str, Any], *, logprobs: Any = None, finish: str | None = None
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
