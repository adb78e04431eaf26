"""Tables of bits, for the documents: ``python docs/bits.py predictions|dialects``.

``predictions``: what one prediction costs behind each mutator.  ``dialects``: for each API the
sizes that a route must declare for a budget in bits, and whether its answers tell their tokens.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from extproc.config.routes import DIALECTS  # noqa: E402
from extproc.dialects.kinds import told_of_tokens  # noqa: E402
from extproc.entitlement import ALL  # noqa: E402
from extproc.information import UNSIZED, Information, Measure, Sizes  # noqa: E402
from extproc.inventory.telling import written  # noqa: E402
from extproc.mutators import (  # noqa: E402
    Bins,
    Codebook,
    Dither,
    Floor,
    Hash,
    LabelOnly,
    Mutator,
    NoisyMax,
    Quantize,
    Round,
    Similarity,
    Steps,
    TopK,
    Truncate,
)
from extproc.prediction import KINDS, Kind  # noqa: E402

_SIZES: Final[dict[Kind, tuple[int, str]]] = {
    "probabilities": (10, "10 classes"),
    "votes": (10, "10 classes"),
    "score": (1, "a number"),
    "logprobs": (5, "a token, 5 alternatives"),
    "embedding": (384, "384 dimensions"),
    "label": (1, "one of 10 classes"),
    "text": (1, "a token"),
    "reasoning": (1, "a token"),
    "tensor": (1, "a number"),
}
_CHAINS: Final[dict[Kind, list[list[Mutator]]]] = {
    "probabilities": [
        [],
        [Round(digits=3)],
        [Round(digits=2)],
        [TopK(k=3), Round(digits=2)],
        [TopK(k=1), Round(digits=2)],
        [Bins(count=3)],
        [Codebook(bits=8)],
        [LabelOnly()],
    ],
    "votes": [[], [NoisyMax(noise="gaussian", scale=40)]],
    "score": [[], [Round(digits=3)], [Round(digits=2)], [Steps(least=0, step=0.25, values=5)]],
    "logprobs": [
        [],
        [TopK(k=1), Round(digits=2)],
        [TopK(k=1), Floor(steps=100)],
        [TopK(k=0), Floor(steps=100)],
    ],
    "embedding": [
        [],
        [Quantize(bits=8)],
        [Truncate(dimensions=64), Quantize(bits=8)],
        [Quantize(bits=1)],
        [Dither(step=0.05)],
        [Hash(bits=128)],
        [Similarity(digits=2)],
    ],
    "label": [[]],
    "text": [[]],
    "reasoning": [[]],
    "tensor": [[]],
}


def main() -> None:
    for line in {"predictions": predictions, "dialects": dialects}[sys.argv[1]]():
        print(line)


def predictions() -> Iterator[str]:
    yield f"{'kind':15}{'of one':26}{'behind':40}{'bits':>10}"
    for kind, chains in _CHAINS.items():
        size, shown = _SIZES[kind]
        for chain in chains:
            bits = Measure({kind: chain}, Sizes(label=10), inputs=10)(kind, size)
            yield f"{kind:15}{shown:26}{_chain(chain):40}{bits:10,.1f}"


def _chain(chain: Sequence[Mutator]) -> str:
    return ", ".join(map(written, chain)) or "pass"


def dialects() -> Iterator[str]:
    yield f"{'dialect':24}{'tokens told':16}sizes, where all kinds pass"
    everything = dict.fromkeys(KINDS, ())
    for name, kind in DIALECTS.items():
        needed = Information(kind(), everything, UNSIZED).missing(ALL)
        told = zip(("input", "output"), told_of_tokens(kind()), strict=True)
        counted = ", ".join(side for side, is_told in told if is_told)
        yield f"{name:24}{counted or 'none':16}{', '.join(needed) or 'none'}"


if __name__ == "__main__":
    main()
