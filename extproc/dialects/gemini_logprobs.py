"""Log probabilities as Gemini writes them: tokens and their alternatives in two arrays.

``{"chosenCandidates": [{"token", "logProbability"}], "topCandidates": [{"candidates": [...]}]}``,
where the alternatives of a token stand at its own place.  Rule: both arrays are rewritten together,
and what is known of the whole answer (its sum, its average) is no finer than a token.
"""

from typing import Any, Final

from extproc.dialects.shape import ABSENT, Anything, Edit, Fields, Items, Json
from extproc.dialects.token_logprobs import Known
from extproc.errors import UpstreamError
from extproc.prediction import Logprobs, Token

_CANDIDATE: Final = Known(frozenset({"token", "logProbability"}))
RESULT: Final = Fields(
    {
        "chosenCandidates": Items(_CANDIDATE),
        "topCandidates": Items(Fields({"candidates": Items(_CANDIDATE)})),
        "logProbabilitySum": Anything(),
    }
)
"""Without ``tokenId``: the numbers of a vocabulary are nobody's business."""


def result(value: Json, edit: Edit, place: str) -> Json:
    """All of ``logprobsResult``."""
    before = _read(value, place)
    after = [_edited(each, edit) for each in before]
    total = average(value.get("logProbabilitySum"), edit, place)
    same = all(new is old for new, old in zip(after, before, strict=True))
    if same and total is value.get("logProbabilitySum"):
        return value
    kept = [each for each in after if each is not None]
    if total is ABSENT or len(kept) < len(before):
        return ABSENT
    return {name: _written(name, value, kept, total) for name in value}


def average(value: Json, edit: Edit, place: str) -> Json:
    """A log probability that is of no one token."""
    if value is None:
        return value
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


def _read(value: Json, place: str) -> list[Logprobs]:
    chosen = [_token(each, place) for each in value.get("chosenCandidates") or ()]
    tops = [
        tuple(_token(each, place) for each in (top or {}).get("candidates") or ())
        for top in value.get("topCandidates") or ()
    ]
    if len(tops) > len(chosen):
        raise UpstreamError(f"{place} has alternatives of no token")
    tops += [()] * (len(chosen) - len(tops))
    return [Logprobs(token, others) for token, others in zip(chosen, tops, strict=True)]


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


def _written(name: str, value: dict[str, Any], tokens: list[Logprobs], total: Json) -> Json:
    match name:
        case "chosenCandidates" if value[name] is not None:
            return [_entry(each.chosen) for each in tokens]
        case "topCandidates" if value[name] is not None:
            tops = tokens[: len(value[name])]
            return [{"candidates": [_entry(other) for other in each.alternatives]} for each in tops]
        case "logProbabilitySum":
            return total
        case _:
            return None


def _entry(token: Token) -> dict[str, Any]:
    return {"token": token.text, "logProbability": token.logprob}
