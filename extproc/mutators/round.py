"""Round on a decimal grid and keep what callers rely on: the sum, the order and the top label.

Rule: probabilities are rounded together, by largest remainder (_apportion.py).  Rounding each on
its own breaks the sum more often than not, and makes winners of losers.

Logprobs are rounded as the probabilities they stand for, never as logarithms: these stay in the
low-dimensional image of the model's last layer whatever noise of their own they get, and a few
thousand of them give that layer away (Carlini et al., "Stealing Part of a Production Language
Model", ICML 2024; Finlayson et al., "Logits of API-Protected LLMs Leak Proprietary Information",
COLM 2024).  On the first decimals of a probability there is little of it to see.
Rounding slows equation solving (Tramèr et al., USENIX Security 2016); it stops nobody by itself.
"""

import math
from functools import lru_cache
from typing import Annotated, ClassVar, Final

import msgspec
import numpy as np

from extproc.errors import UpstreamError
from extproc.mutators._apportion import apportioned, most_steps
from extproc.mutators._apportion_rows import apportioned_rows
from extproc.mutators._domain import (
    check_logprobs,
    check_probabilities,
    check_tokens,
    likelihoods,
)
from extproc.mutators._rows import check_rows, settled
from extproc.mutators.capacity import FLOAT, TOKEN, Capacity, shares
from extproc.mutators.mutator import Plain
from extproc.prediction import (
    Embedding,
    Kind,
    Logprobs,
    Matrix,
    Prediction,
    Probabilities,
    Score,
    Token,
    Tokens,
    Vector,
    Votes,
)

_TABLED: Final = 3
"""Decimals up to which the logs of all steps are kept."""


class Round(Plain, frozen=True, tag="round"):
    """Rounded again, a rounded prediction is the same."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"probabilities", "score", "logprobs"})

    digits: Annotated[int, msgspec.Meta(ge=0, le=6)]
    """Decimals of a probability or score."""

    def apply(self, prediction: Prediction) -> Prediction | None:
        """Raises UpstreamError for what is no probability, TypeError for a kind not in KINDS."""
        match prediction:
            case Probabilities():
                return _classes(prediction, 10**self.digits)
            case Score():
                return _score(prediction, self.digits)
            case Logprobs():
                return _tokens(prediction, self.digits)
            case Votes() | Embedding():
                raise TypeError("round knows no votes and no embeddings")

    def apply_rows(self, kind: Kind, rows: Matrix) -> Matrix:
        """As each row by itself."""
        if kind == "probabilities":
            check_rows(rows)
            return settled(apportioned_rows(rows, 10**self.digits), rows)
        scores = [_rounded(value, self.digits) for value in rows[:, 0].tolist()]
        return settled(np.array(scores)[:, np.newaxis], rows)

    def apply_tokens(self, tokens: Tokens) -> Tokens:
        """As each prediction by itself."""
        check_tokens(tokens)
        grid = 10**self.digits
        steps = np.maximum(np.rint(likelihoods(tokens) * grid), 1.0).astype(np.intp)
        if self.digits <= _TABLED:
            return tokens.with_logprobs(_logs(self.digits)[steps])
        logs = [_log(count, self.digits) for count in steps.tolist()]
        return tokens.with_logprobs(np.array(logs))

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """Classes share a whole number of steps; a score may be of any magnitude."""
        grid = 10**self.digits
        match kind:
            case "probabilities":
                most = most_steps(grid)
                step = math.log2(most + 1)
                other = step if before.other else 0.0
                return before.least(shares(before, most), depth=step, other=other)
            case "logprobs":
                return before.least(depth=TOKEN + math.log2(grid))
            case _:
                return before.least(depth=FLOAT)


def _classes(prediction: Probabilities, grid: int) -> Probabilities:
    """As ``apportioned``; itself where that changes nothing.

    What is hidden gets the steps that the classes leave of the sum of all: they are rounded as if
    it were not told.
    """
    values, other = prediction.values, prediction.other
    check_probabilities(values)
    rounded = apportioned(values, grid)
    if other is not None:
        other = _rest(math.fsum([*values.tolist(), other]), rounded, grid)
    same = rounded.tobytes() == values.tobytes() and other == prediction.other
    return prediction if same else Probabilities(rounded, other)


def _rest(total: float, rounded: Vector, grid: int) -> float:
    return max(0, round(total * grid) - round(math.fsum(rounded.tolist()) * grid)) / grid


def _score(prediction: Score, digits: int) -> Score:
    """The float nearest to the decimal nearest to the score; of two as near, the even one."""
    rounded = _rounded(prediction.value, digits)
    same = repr(rounded) == repr(prediction.value)
    return prediction if same else Score(rounded)


def _rounded(score: float, digits: int) -> float:
    if not math.isfinite(score):
        raise UpstreamError("a score is not finite")
    return round(score, digits) + 0.0  # no -0.0: a sign is one more bit


def _tokens(prediction: Logprobs, digits: int) -> Logprobs:
    """The same tokens in the same order, each with the log of a probability on the grid."""
    check_logprobs(prediction)
    before = (prediction.chosen, *prediction.alternatives)
    after = tuple(_token(token, digits) for token in before)
    same = all(new is old for new, old in zip(after, before, strict=True))
    return prediction if same else Logprobs(after[0], after[1:])


def _token(token: Token, digits: int) -> Token:
    """No probability is below one step: its log exists, and how small it is stays hidden.

    The log has a decimal more than the grid, enough to find the step again.
    """
    grid = 10**digits
    rounded = _log(max(1, round(math.exp(min(token.logprob, 0.0)) * grid)), digits)
    # As for scores, -0.0 is not 0.0.
    same = rounded == token.logprob and repr(rounded) == repr(token.logprob)
    return token if same else Token(token.text, rounded, token.raw)


@lru_cache(maxsize=4096)
def _log(steps: int, digits: int) -> float:
    return round(math.log(steps / 10**digits), max(4, digits + 1))


@lru_cache(maxsize=_TABLED + 1)
def _logs(digits: int) -> Vector:
    """Of each number of steps; of none, as of one."""
    return np.array([_log(max(1, steps), digits) for steps in range(10**digits + 1)])
