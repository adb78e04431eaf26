"""The model that is asked: which intent a text has, and how sure that is.

Rule: made of the reference's texts alone, so that nobody asks what it has learnt.  Least squares
over hashed runs of letters (Rifkin, Yeo and Poggio, "Regularized least-squares classification",
2003); how steep its probabilities are is what fits texts that it has not learnt (temperature: Guo,
Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017).
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.grams import Grams
from extproc.detectors.space import unit
from extproc.detectors.words import words
from extproc.draw import Draw

Probabilities = npt.NDArray[np.float64]
"""Shape (texts, intents)."""
_RIDGE: Final = 1.0
_STEEPNESS: Final = (8.0, 16.0, 24.0, 32.0, 48.0)
_KEY: Final = b"of the model"


class Victim:
    def __init__(self, learnt: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> None:
        """Texts by intent: those of which it is made, those its temperature is fitted to."""
        self._grams = Grams(Draw(_KEY))
        inputs, intents = self._inputs([*chain(*learnt)]), _numbers(learnt)
        wanted = np.eye(len(learnt))[intents]
        square = inputs.T @ inputs + _RIDGE * np.eye(inputs.shape[1])
        self._weights = np.linalg.solve(square, inputs.T @ wanted)
        scores, truth = self._inputs([*chain(*others)]) @ self._weights, _numbers(others)
        self._steepness = max(
            _STEEPNESS, key=lambda steep: _likelihood(_softmax(steep * scores), truth)
        )

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        return _softmax(self._steepness * (self._inputs(texts) @ self._weights))

    def margins(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Between the two likeliest intents; shape (texts,)."""
        two = np.sort(self.probabilities(texts), axis=1)[:, -2:]
        found: npt.NDArray[np.float64] = two[:, 1] - two[:, 0]
        return found

    def _inputs(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        return unit(self._grams.of(list(map(words, texts)))).astype(np.float64)


def _numbers(of: Sequence[Sequence[str]]) -> npt.NDArray[np.intp]:
    return np.repeat(np.arange(len(of)), list(map(len, of)))


def _softmax(scores: npt.NDArray[Any]) -> Probabilities:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Probabilities = raised / raised.sum(axis=1, keepdims=True)
    return found


def _likelihood(found: Probabilities, truth: npt.NDArray[np.intp]) -> float:
    return float(np.log(found[np.arange(len(truth)), truth]).mean())
