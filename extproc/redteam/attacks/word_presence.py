"""Which words a text had, told from its vector.

Source: Song and Raghunathan, 2020, "Information Leakage in Embedding Models", ACM CCS, section 4
(inversion to the set of words).  They train a network; this is ridge regression with one output for
each word.  Rule: words that are in a twentieth to a half of the attacker's texts, because of rarer
ones a few hundred texts tell nothing, and more frequent ones tell nothing about a text.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.measures.distinguish import auc
from extproc.redteam.surrogates.ridge import Linear, Spectrum
from extproc.redteam.vector_judge import unit

RARE: Final = 0.05
FREQUENT: Final = 0.5
"""Shares of texts."""
STRENGTHS: Final = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Of the penalty, where vectors have length one."""
_HELD_OUT: Final = 5
_WORD: Final = re.compile(r"[^\W\d_]+")


def chosen(texts: Sequence[str]) -> list[str]:
    """Words in neither too few nor too many of the texts, in the order of the alphabet."""
    counts = Counter(word for text in texts for word in _words(text))
    return sorted(word for word, count in counts.items() if RARE <= count / len(texts) <= FREQUENT)


def present(texts: Sequence[str], words: Sequence[str]) -> Floats:
    """1 where a text has a word, else 0 [N, W]."""
    sets = [_words(text) for text in texts]
    return np.array([[word in found for word in words] for found in sets], np.float64)


def fit(vectors: Floats, has: Floats) -> Linear:
    """From vectors [N, D] to how much they look like each word [N, W]; the penalty is the one that
    tells words of a held-out fifth best.
    """
    vectors = unit(vectors)
    held = np.arange(len(vectors)) % _HELD_OUT == _HELD_OUT - 1
    tried = Spectrum.of(vectors[~held]).fits(has[~held], STRENGTHS)
    told = [mean_auc(each(vectors[held]), has[held]) for each in tried]
    return Spectrum.of(vectors).fit(has, STRENGTHS[int(np.argmax(told))])


def mean_auc(likeness: Floats, has: Floats) -> float:
    """Mean over words of how often a text that has it looks more like it than one that has not.

    Of [N, W] each; words that all or none of the texts have do not count, and 0.5 is never knowing.
    """
    told = [
        auc(column[truth == 0], column[truth == 1])
        for column, truth in zip(likeness.T, has.T, strict=True)
        if 0 < truth.sum() < len(truth)
    ]
    return float(np.mean(told)) if told else 0.5


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
