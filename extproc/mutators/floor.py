"""Serve log probabilities from a coarse grid of probabilities, and none below its first step.

Rule: a probability is rounded down to the grid, in the domain of probabilities, and one step is
the least that is served; so how unlikely an unlikely token is stays hidden, and with it the logits
that a thief solves for.  Noise and rounding of the logarithm itself do not hide the low-dimensional
image of the model's last layer (Carlini et al., "Stealing Part of a Production Language Model",
ICML 2024; Finlayson et al., "Logits of API-Protected LLMs Leak Proprietary Information", COLM
2024).  Finer steps than a thousandth show that image again, and are not to be had.
"""

import math
from functools import lru_cache
from typing import Annotated, ClassVar, Final

import msgspec
import numpy as np

from extproc.mutators._domain import check_logprobs, check_tokens, likelihoods
from extproc.mutators.capacity import TOKEN, Capacity
from extproc.mutators.mutator import Plain
from extproc.prediction import (
    Embedding,
    Kind,
    Logprobs,
    Prediction,
    Probabilities,
    Score,
    Token,
    Tokens,
    Votes,
)

_ALMOST: Final = 0.01
"""Of a step: its log, served with five decimals, is off by half of this and still that step."""


class Floor(Plain, frozen=True, tag="floor"):
    """Rounded down again, a logprob is the same."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"logprobs"})

    steps: Annotated[int, msgspec.Meta(ge=2, le=1000)]
    """Steps from probability 0 to 1."""

    def apply(self, prediction: Prediction) -> Prediction | None:
        """Raises UpstreamError for what is no logprob, TypeError for a kind not in KINDS."""
        match prediction:
            case Logprobs(chosen, alternatives):
                check_logprobs(prediction)
                before = (chosen, *alternatives)
                after = tuple(_token(token, self.steps) for token in before)
                same = all(new is old for new, old in zip(after, before, strict=True))
                return prediction if same else Logprobs(after[0], after[1:])
            case Probabilities() | Votes() | Score() | Embedding():
                raise TypeError("floor knows logprobs only")

    def apply_tokens(self, tokens: Tokens) -> Tokens:
        """As each prediction by itself."""
        check_tokens(tokens)
        steps = np.floor(likelihoods(tokens) * self.steps + _ALMOST).astype(np.int64)
        logs = [_log(count, self.steps) for count in steps.tolist()]
        return tokens.with_logprobs(np.array(logs))

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """Which tokens, and a step for each."""
        return before.least(depth=TOKEN + math.log2(self.steps))


def _token(token: Token, grid: int) -> Token:
    steps = math.floor(math.exp(min(token.logprob, 0.0)) * grid + _ALMOST)
    served = _log(steps, grid)
    same = repr(served) == repr(token.logprob)
    return token if same else Token(token.text, served, token.raw)


@lru_cache(maxsize=4096)
def _log(steps: int, grid: int) -> float:
    return round(math.log(max(1, steps) / grid), 5) + 0.0  # no -0.0
