"""What is done to texts so that no list of words be found in them, and how a list is stolen.

Papers: Jovanović et al., "Watermark Stealing in Large Language Models", ICML 2024; Kirchenbauer et
al., "On the Reliability of Watermarks for Large Language Models", ICLR 2024.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from extproc.marks.vocabulary import Vocabulary

Greens = npt.NDArray[np.bool_]
_WORD: Final = re.compile(r"[^\W\d_]+")


def deleted(texts: Sequence[str], share: float, seed: int) -> list[str]:
    """Without so many of their words."""
    random = np.random.default_rng(seed)
    return [_each(text, lambda word: "" if random.random() < share else word) for text in texts]


def substituted(texts: Sequence[str], vocabulary: Vocabulary, share: float, seed: int) -> list[str]:
    """With another word of the vocabulary, whichever, for so many of those that stand there."""
    every = np.ones(len(vocabulary.words), np.bool_)
    chances = dict.fromkeys(_names(vocabulary), share)
    return _replaced(texts, vocabulary, chances, every, seed)


def mixed(texts: Sequence[str], others: Sequence[str], share: float) -> list[str]:
    """So many of the texts are others."""
    count = round(len(texts) * share)
    return [*others[:count], *texts[count:]]


def stolen(marked: npt.NDArray[Any], clean: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """How many times as often as in clean texts each word stands in marked ones; both counted.

    What is above 1 is taken for green.
    """
    rates = [(counts + 0.5) / (counts + 0.5).sum() for counts in (marked, clean)]
    ratio: npt.NDArray[Any] = rates[0] / rates[1]
    return ratio


def scrubbed(
    texts: Sequence[str], vocabulary: Vocabulary, ratio: npt.NDArray[Any], seed: int
) -> list[str]:
    """With a word that is taken for red for so many of those taken for green as are too many."""
    chances = dict(zip(_names(vocabulary), np.maximum(0.0, 1 - 1 / ratio).tolist(), strict=True))
    return _replaced(texts, vocabulary, chances, ratio < 1, seed)


def _replaced(
    texts: Sequence[str],
    vocabulary: Vocabulary,
    chances: dict[str, float],
    by: Greens,
    seed: int,
) -> list[str]:
    random, weights = np.random.default_rng(seed), vocabulary.usual * by
    others = random.choice(_names(vocabulary), 1 << 16, p=weights / weights.sum()).tolist()

    def turned(word: str) -> str:
        spared = random.random() >= chances.get(word.casefold(), 0.0)
        return word if spared else others[random.integers(len(others))]

    return [_each(text, turned) for text in texts]


def _each(text: str, turned: Callable[[str], str]) -> str:
    return _WORD.sub(lambda found: turned(found.group()), text)


def _names(vocabulary: Vocabulary) -> list[str]:
    return [each.word for each in vocabulary.words]
