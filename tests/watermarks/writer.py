"""A real, small language model that writes, with a bias or without, and its copies.

It is the demo's tiny-lm.  A copy is another of its kind that learned from what it wrote alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from extproc.demo.server.models import corpus, training, weight_cache
from extproc.demo.server.models.tiny_lm import TinyLm
from extproc.demo.server.models.vocabulary import END, SIZE
from extproc.marks.vocabulary import Vocabulary, made
from extproc.ownership.word_tokens import counted

Ints = npt.NDArray[np.int64]
LENGTH: Final = 100
"""Tokens of an answer."""
_NEVER: Final = -1e9


@cache
def victim() -> TinyLm:
    return TinyLm.load(weight_cache.directory(), print)


@cache
def vocabulary() -> Vocabulary:
    """Of the words that the model's tokens write and that its corpus says most."""
    spelled = {}
    for token, octets in enumerate(victim().vocabulary.spellings):
        text = octets.decode(errors="replace")
        if text.startswith(" "):
            spelled[text[1:]] = (token,)
    return made(spelled, counted(corpus.read().learned))


@dataclass(frozen=True, slots=True)
class Written:
    """Answers, and how surprised the unbiased model is by each of their tokens."""

    tokens: Sequence[Ints]
    texts: Sequence[str]
    surprise: float
    """Mean, in nats."""


def write(
    model: TinyLm,
    answers: int,
    bias: Mapping[str, float],
    seed: int,
    *,
    length: int = LENGTH,
    ends: bool = False,
) -> Written:
    """``ends``: whether an answer may be shorter, where the model comes to its end."""
    random, added = np.random.default_rng(seed), np.zeros(SIZE)
    added[[int(token) for token in bias]] = list(bias.values())
    contexts = np.full((answers, training.CONTEXT), END)
    columns, surprise, alive = [], 0.0, np.ones(answers, np.bool_)
    for at in range(length):
        hidden = training.forward(model.parameters, contexts).hidden
        logits = hidden @ model.parameters["unembedding"].T
        plain = _logs(logits)
        if not ends or not at:
            logits[:, END] = _NEVER
        column = _drawn(_logs(logits + added), random)
        column[~alive] = END
        surprise -= float(plain[np.arange(answers), column][alive].sum()) / (answers * length)
        alive &= column != END
        columns.append(column)
        contexts = np.concatenate([contexts[:, 1:], column[:, None]], axis=1)
    rows = [row[row != END] for row in np.stack(columns, axis=1)]
    return Written(rows, [spelled(model, row) for row in rows], surprise)


def spelled(model: TinyLm, row: Ints) -> str:
    return b"".join(model.vocabulary.spellings[token] for token in row).decode(errors="replace")


def copied(texts: Sequence[str]) -> TinyLm:
    """A model that learned from these texts alone; its tokens are the victim's."""
    original = victim()
    weights = training.train([original.vocabulary.encode(text) for text in texts])
    exact = {name: array.astype(np.float64) for name, array in weights.items()}
    return replace(original, parameters=exact)


def _logs(logits: npt.NDArray[Any]) -> npt.NDArray[Any]:
    logits = logits - logits.max(axis=1, keepdims=True)
    told: npt.NDArray[Any] = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return told


def _drawn(logs: npt.NDArray[Any], random: np.random.Generator) -> Ints:
    reached = np.exp(logs).cumsum(axis=1)
    places = random.random((len(logs), 1)) * reached[:, -1:]
    drawn: Ints = (reached <= places).sum(axis=1)
    return drawn
