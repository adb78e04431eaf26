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


def sample(
    model: TinyLm, prompt: Sequence[int], sampling: Sampling, random: np.random.Generator
) -> Iterator[Sampled]:
    """Continue the prompt until the model ends its text or ``max_tokens`` are sampled.

    The end token is not among what is yielded: fewer than ``max_tokens`` means the text is at its
    end.
    """
    context = list(prompt)
    for _ in range(sampling.max_tokens):
        logprobs = log_softmax(_biased(model.logits(context), sampling.logit_bias))
        token = _choose(logprobs, sampling, random)
        if token == END:
            return
        context.append(token)
        yield Sampled(token, float(logprobs[token]), _likeliest(logprobs, sampling.alternatives))


def _biased(logits: Floats, bias: Mapping[int, float]) -> Floats:
    if bias:
        logits[list(bias)] += list(bias.values())
    return logits


def _choose(logprobs: Floats, sampling: Sampling, random: np.random.Generator) -> int:
    if sampling.temperature == 0:
        return int(logprobs.argmax())
    probabilities = np.exp(log_softmax(logprobs / sampling.temperature))
    if sampling.top_p < 1:
        probabilities = _nucleus(probabilities, sampling.top_p)
    reached = np.cumsum(probabilities)
    return int(np.searchsorted(reached, random.random() * reached[-1], side="right"))


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
