"""Tokens from tiny-lm, one after the other.

Rule: a log-probability is that of the model at temperature 1 with the client's logit bias, the
distribution Carlini et al. (2024) read a last layer from; temperature and top-p only choose.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from extproc.demo.server.models.tiny_lm import TinyLm, log_softmax
from extproc.demo.server.models.vocabulary import END

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to choose; temperature 0 always takes the likeliest token."""

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    alternatives: int = 0
    logit_bias: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A token, its natural log-probability, and the likeliest tokens, best first."""

    token: int
    logprob: float
    alternatives: Sequence[tuple[int, float]]


@dataclass(slots=True)
class Sampler:
    """Continues one prompt, as often as is asked for; what comes first is worked out once."""

    model: TinyLm
    prompt: Sequence[int]
    sampling: Sampling
    _first: "Distribution | None" = None

    def sample(self, random: np.random.Generator) -> Iterator[Sampled]:
        """Until the model ends its text or ``max_tokens`` are sampled.

        The end token is not among what is yielded: fewer than ``max_tokens`` means the text is at
        its end.
        """
        context = list(self.prompt)
        for at in range(self.sampling.max_tokens):
            token = (self._after(context) if at else self._opening()).drawn(random)
            if token.token == END:
                return
            context.append(token.token)
            yield token

    def _opening(self) -> "Distribution":
        if self._first is None:
            self._first = self._after(self.prompt)
        return self._first

    def _after(self, context: Sequence[int]) -> "Distribution":
        logprobs = log_softmax(_biased(self.model.logits(context), self.sampling.logit_bias))
        alternatives = _likeliest(logprobs, self.sampling.alternatives)
        return Distribution(logprobs, _reached(logprobs, self.sampling), alternatives)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of the next token."""

    logprobs: Floats
    """Shape (vocabulary,)."""
    reached: Floats | None
    """Shape (vocabulary,): the weight of each token and of all before it; None: the likeliest."""
    alternatives: Sequence[tuple[int, float]]

    def drawn(self, random: np.random.Generator) -> Sampled:
        if self.reached is None:
            token = int(self.logprobs.argmax())
        else:
            place = random.random() * self.reached[-1]
            token = int(np.searchsorted(self.reached, place, side="right"))
        return Sampled(token, float(self.logprobs[token]), self.alternatives)


def _biased(logits: Floats, bias: Mapping[int, float]) -> Floats:
    if bias:
        logits[list(bias)] += list(bias.values())
    return logits


def _reached(logprobs: Floats, sampling: Sampling) -> Floats | None:
    if sampling.temperature == 0:
        return None
    probabilities = np.exp(log_softmax(logprobs / sampling.temperature))
    if sampling.top_p < 1:
        probabilities = _nucleus(probabilities, sampling.top_p)
    reached: Floats = np.cumsum(probabilities)
    return reached


def _nucleus(probabilities: Floats, top_p: float) -> Floats:
    """Zero all but the likeliest tokens that together reach ``top_p`` (Holtzman et al., 2020)."""
    order = np.argsort(-probabilities, kind="stable")
    before = np.cumsum(probabilities[order]) - probabilities[order]
    kept = order[before < top_p]
    nucleus = np.zeros_like(probabilities)
    nucleus[kept] = probabilities[kept]
    return nucleus


def _likeliest(logprobs: Floats, count: int) -> Sequence[tuple[int, float]]:
    if not count:
        return ()
    order = np.argsort(-logprobs, kind="stable")[:count]
    return [(int(token), float(logprobs[token])) for token in order]
