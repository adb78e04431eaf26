"""One token with its log probability, as OpenAI writes it and others after it.

``{"token", "logprob", "bytes", "top_logprobs": [{"token", "logprob", "bytes"}]}``
"""

from dataclasses import dataclass
from typing import Any, Final

from extproc.dialects.shape import ABSENT, Anything, Edit, Fields, Items, Json, Rewrite
from extproc.errors import UpstreamError
from extproc.prediction import Logprobs, Token


def logprobs(value: Json, edit: Edit, place: str) -> Json:
    """The chosen token and the alternatives it was chosen from, ``top_logprobs``."""
    before = _read(value, place)
    after = edit(before)
    if after is before:
        return value
    if after is None:
        return ABSENT
    if not isinstance(after, Logprobs):
        raise TypeError(f"a mutator made {type(after).__name__} of log probabilities")
    changed = _entry(after.chosen, value)
    if value.get("top_logprobs") is not None:
        changed["top_logprobs"] = [_entry(token, value) for token in after.alternatives]
    return {**value, **changed}


def _read(value: Json, place: str) -> Logprobs:
    chosen = _token(value, place)
    others = value.get("top_logprobs") or ()
    return Logprobs(chosen, tuple(_token(other, place) for other in others))


def _token(value: Json, place: str) -> Token:
    match value:
        case {"token": str(text), "logprob": logprob} if type(logprob) in (int, float):
            raw = value.get("bytes")
            return Token(text, float(logprob), None if raw is None else _raw(raw, place))
        case _:
            raise UpstreamError(f"{place} is not a token with its log probability")


def _raw(value: Json, place: str) -> tuple[int, ...]:
    if isinstance(value, list) and all(type(byte) is int and 0 <= byte < 256 for byte in value):
        return tuple(value)
    raise UpstreamError(f"{place}.bytes is not an array of bytes")


def _entry(token: Token, like: dict[str, Any]) -> dict[str, Any]:
    """A token as the API writes it; with ``bytes`` where the original entry has them."""
    entry: dict[str, Any] = {"token": token.text, "logprob": token.logprob}
    if "bytes" in like:
        entry["bytes"] = None if token.raw is None else list(token.raw)
    return entry


@dataclass(frozen=True, slots=True)
class Known:
    """An object whose values a codec checks: Fields of Anything, and several times faster."""

    names: frozenset[str]

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if not isinstance(value, dict):
            raise UpstreamError(f"{place} is not an object")
        if value.keys() <= self.names:
            return value
        for _ in value.keys() - self.names:
            run.drop(f"{place}.*")
        return {name: item for name, item in value.items() if name in self.names}


_TOKEN: Final = ("token", "logprob", "bytes")
ENTRY: Final = Fields(
    {**dict.fromkeys(_TOKEN, Anything()), "top_logprobs": Items(Known(frozenset(_TOKEN)))}
)
