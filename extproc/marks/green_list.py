"""A green list: which words of a vocabulary a model is made to prefer, and how a text shows it.

Rule: a word is green by a coin of the key's, of this word alone.  So a text that knows nothing of
the key has as much of green as of red, whatever it says and however often: what is tested is
whether the words that come more often than usual are the green ones (sign_flips.py).  The same test
is for a text and for what a model says that was trained on such texts, which prefers them too
(Sander et al., "Watermarking Makes Language Models Radioactive", NeurIPS 2024).

Sources: Zhao et al., "Provable Robust Watermarking for AI-Generated Text", ICLR 2024 (one list for
all contexts); Jovanović et al., "Watermark Stealing in Large Language Models", ICML 2024 (what it
takes to learn such a list).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from extproc.draw import Draw
from extproc.marks.sign_flips import sign_flips
from extproc.marks.statistics import Tail
from extproc.marks.vocabulary import Vocabulary
from extproc.prediction import Vector


@dataclass(frozen=True, slots=True)
class Evidence:
    """That a text was written with one list."""

    tail: Tail
    """How likely as much is without it: exact."""
    seen: int
    """Words of the vocabulary that were read."""
    green: float
    """The share of them that is green."""
    usual: float
    """The share that was to be expected of texts that nobody marked."""


def of_vocabulary(key: Draw, vocabulary: Vocabulary) -> Draw:
    """The key of one list, of all that have this key: whoever is shown it knows no other list.

    It hangs on what is usual too, so that nobody says what is usual after the coins fell.
    """
    return key.child(b"vocabulary " + sha256(vocabulary.json).digest())


def green(vocabulary: Vocabulary, key: Draw) -> npt.NDArray[np.bool_]:
    """Shape (words,): each with a coin of its own."""
    words = [each.word.encode() for each in vocabulary.words]
    return np.array([bool(key.child(b"word " + word).key[0] & 1) for word in words])


def bias(vocabulary: Vocabulary, key: Draw, strength: float) -> Mapping[str, float]:
    """What a model server is asked for: OpenAI's ``logit_bias``."""
    listed = green(vocabulary, key)
    words = (word for word, is_green in zip(vocabulary.words, listed, strict=True) if is_green)
    return {str(token): strength for word in words for token in word.tokens}


def evidence(
    counts: Vector, vocabulary: Vocabulary, key: Draw, clean: Vector | None = None
) -> Evidence:
    """Of texts with so many of each word.

    ``clean``: the same of texts that nobody marked, of the model that is asked if there are any;
    else what the vocabulary says is usual.  They do not have to be right for the tail to be.
    """
    usual = vocabulary.usual if clean is None else clean + 0.5
    listed, seen = green(vocabulary, key), float(counts.sum())
    expected = usual / usual.sum()
    excess = (counts - seen * expected) / np.sqrt(seen * expected + 1.0)
    share = float(counts[listed].sum()) / seen if seen else 0.0
    return Evidence(sign_flips(excess, listed), int(seen), share, float(expected[listed].sum()))
