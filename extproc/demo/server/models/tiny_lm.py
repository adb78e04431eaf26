"""A small language model: four tokens of context, a hidden state of 64, 1,024 logits.

Rule: logits = unembedding @ hidden and nothing else, so that the logits of all contexts lie in a
space of 64 dimensions and hidden size and last layer can be stolen from them (Carlini et al., 2024,
"Stealing Part of a Production Language Model").  Architecture: Bengio et al., 2003, "A Neural
Probabilistic Language Model".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from extproc.demo.server.models import corpus, training, weight_cache
from extproc.demo.server.models.vocabulary import END, Vocabulary

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TinyLm:
    """Parameters as float64, so that log-probabilities are exact to twelve digits and more."""

    vocabulary: Vocabulary
    parameters: dict[str, Floats]
    fingerprint: str

    @classmethod
    def load(cls, cache: Path, report: Callable[[str], None]) -> Self:
        """Read the trained weights from ``cache``, or train them and leave them there.

        Training takes about four seconds of one core.  A cache that cannot be written is no error.
        """
        learned = corpus.read().learned
        vocabulary = Vocabulary.learn(learned)
        key = _key(vocabulary, learned)
        file = cache / f"tiny-lm-{key}.safetensors"
        weights = weight_cache.read(file)
        if weights is None:
            report(f"tiny-lm: training for a few seconds; the weights are then kept in {cache}")
            weights = training.train([vocabulary.encode(paragraph) for paragraph in learned])
            weight_cache.write(file, weights)
        exact = {name: array.astype(np.float64) for name, array in weights.items()}
        return cls(vocabulary, exact, key)

    def hidden(self, context: Sequence[int]) -> Floats:
        """The hidden state [64] after the last four tokens of ``context``."""
        padded = [END] * training.CONTEXT + list(context[-training.CONTEXT :])
        recent = np.array([padded[-training.CONTEXT :]])
        state: Floats = training.forward(self.parameters, recent).hidden[0]
        return state

    def logits(self, context: Sequence[int]) -> Floats:
        """Logits [1024] of the token that follows ``context``."""
        return self.parameters["unembedding"] @ self.hidden(context)


def log_softmax(logits: Floats) -> Floats:
    """Natural log-probabilities of logits [V]; their exponentials sum to one."""
    shifted = logits - logits.max()
    normalised: Floats = shifted - np.log(np.exp(shifted).sum())
    return normalised


def _key(vocabulary: Vocabulary, learned: Sequence[str]) -> str:
    """Digest of all that decides the weights: the text, the tokens, the training, numpy."""
    digest = sha256(vocabulary.tokenizer.to_str().encode())
    digest.update("\n".join(learned).encode())
    digest.update(Path(training.__file__).read_bytes())
    digest.update(np.__version__.encode())
    return digest.hexdigest()[:16]
