"""Log probabilities as Gemini writes them: tokens and their alternatives in two arrays.

``{"chosenCandidates": [{"token", "logProbability"}], "topCandidates": [{"candidates": [...]}]}``,
where the alternatives of a token stand at its own place.  Rule: what is said of the whole answer
(its sum, its average) is no finer than what is said of a token.  Each place of either array is read
by itself, as mutators read a token, so that an answer of any length is rewritten as it comes.
"""

from dataclasses import dataclass
from typing import Any, Final

from extproc.dialects.mutation import Edit
from extproc.dialects.shape import ABSENT, Fields, Gate, Items, Json, Leaf, Rewrite
from extproc.errors import UpstreamError
from extproc.prediction import Logprobs, Token

_WHOLE: Final = Token("", 0.0)
"""Stands for the chosen token where only its alternatives are known."""


def _chosen(value: Json, edit: Edit, place: str) -> Json:
    before = Logprobs(_token(value, place), ())
    after = _edited(before, edit)
    if after is before:
        return value
    return ABSENT if after is None else _entry(after.chosen)


def _top(value: Json, edit: Edit, place: str) -> Json:
    others = tuple(_token(each, place) for each in value.get("candidates") or ())
    before = Logprobs(others[0] if others else _WHOLE, others)
    after = _edited(before, edit)
    if after is before:
        return value
    return ABSENT if after is None else {"candidates": [*map(_entry, after.alternatives)]}


def average(value: Json, edit: Edit, place: str) -> Json:
    """A log probability that is of no one token."""
    before = Logprobs(Token("", _number(value, place)), ())
    after = _edited(before, edit)
    if after is before:
        return value
    return ABSENT if after is None else after.chosen.logprob


def _edited(before: Logprobs, edit: Edit) -> Logprobs | None:
    after = edit(before)
    if after is None or isinstance(after, Logprobs):
        return after
    raise TypeError(f"a mutator made {type(after).__name__} of log probabilities")


def _token(value: Json, place: str) -> Token:
    match value:
        case {"token": str(text), "logProbability": logprob}:
            return Token(text, _number(logprob, place))
        case _:
            raise UpstreamError(f"{place} is not of tokens with their log probabilities")


def _number(value: Json, place: str) -> float:
    if type(value) not in (int, float):
        raise UpstreamError(f"{place} holds a log probability that is no number")
    return float(value)


def _entry(token: Token) -> dict[str, Any]:
    return {"token": token.text, "logProbability": token.logprob}


# Without ``tokenId``: the numbers of a vocabulary are nobody's business.
@dataclass(frozen=True, slots=True)
class _Known:
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


_CANDIDATE: Final = _Known(frozenset({"token", "logProbability"}))
RESULT: Final = Gate(
    "logprobs",
    Fields(
        {
            "chosenCandidates": Items(Leaf("logprobs", _chosen, _CANDIDATE)),
            "topCandidates": Items(
                Leaf("logprobs", _top, Fields({"candidates": Items(_CANDIDATE)}))
            ),
            "logProbabilitySum": Leaf("logprobs", average),
        }
    ),
)
"""The tree of ``logprobsResult``."""
