"""The texts that attacks on embeddings ask about, and what was answered to them.

Rule: all texts come from the attacker's own pool; where it is too small, two of its texts are
joined, half of one and half of the other, as Krishna et al., 2020, "Thieves on Sesame Street! Model
Extraction of BERT-based APIs", ICLR, ask about sequences of no meaning.
"""

from collections.abc import Sequence

import numpy as np

from extproc.redteam.answers import Floats


def draw(pool: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """``count`` texts in random order; none twice, as long as the pool lasts."""
    order = rng.permutation(len(pool))[:count]
    texts = [pool[at] for at in order]
    pairs = rng.integers(len(pool), size=(count - len(texts), 2))
    return texts + [_joined(pool[one], pool[two]) for one, two in pairs]


def stacked(parts: Sequence[Floats]) -> Floats:
    """Answers [N, D] one after another, as wide as the widest; what lacks is NaN."""
    width = max(part.shape[1] for part in parts)
    return np.concatenate(
        [
            np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=np.nan)
            for part in parts
        ]
    )


def _joined(one: str, two: str) -> str:
    first, second = one.split(), two.split()
    return " ".join([*first[: len(first) // 2], *second[len(second) // 2 :]]) or one
