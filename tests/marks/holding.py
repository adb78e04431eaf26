"""How often cells hold: python -m tests.marks.holding [DIR].

Of images, of a table, and of questions: made up ones, or those of DIR/banking_train.csv, banking77
(Casanueva et al., 2020).  docs/ownership.md shows what it prints.
"""

import csv
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.datasets import load_digits, load_wine

from extproc.draw import Draw
from extproc.marks.cells import Cells
from tests.detectors.questions import questions

KEYS: Final = 3
_COPIES: Final = 15
"""Near variants of an input that somebody asks to take the answer of most."""


def cells_of(cells: Cells, inputs: Sequence[Any]) -> list[bytes]:
    return [cells.of(each if isinstance(each, str) else each.tolist()) for each in inputs]


def held(cells: Cells, inputs: Sequence[Any], changed: Sequence[Any]) -> float:
    """The share of inputs that are in the same cell once they have been changed."""
    pairs = zip(cells_of(cells, inputs), cells_of(cells, changed), strict=True)
    return float(np.mean([one == other for one, other in pairs]))


def noisy(inputs: Any, share: float, seed: int = 0) -> Any:
    """With normal noise of so much of each number's range."""
    ranges = inputs.max(axis=0).max() if inputs.shape[1] > 32 else np.ptp(inputs, axis=0)
    noise = np.random.default_rng(seed).standard_normal(inputs.shape)
    return inputs + noise * share * ranges


def changed(texts: Sequence[str], seed: int = 0) -> list[str]:
    """With one of the words of each replaced by one of another."""
    generator, found = np.random.default_rng(seed), []
    words = [word for text in texts for word in text.split()]
    for text in texts:
        parts = text.split()
        parts[generator.integers(len(parts))] = words[generator.integers(len(words))]
        found.append(" ".join(parts))
    return found


def slipped(texts: Sequence[str], seed: int = 0) -> list[str]:
    """With one letter of each replaced."""
    generator, found = np.random.default_rng(seed), []
    for text in texts:
        at = int(generator.integers(len(text)))
        found.append(
            text[:at] + "abcdefghijklmnopqrstuvwxyz"[generator.integers(26)] + text[at + 1 :]
        )
    return found


def prefixed(texts: Sequence[str], seed: int = 0) -> list[str]:
    """With a word more."""
    generator = np.random.default_rng(seed)
    more = ("please", "hello", "hi there", "quickly", "now")
    return [f"{more[generator.integers(len(more))]} {text}" for text in texts]


def cosmetic(texts: Sequence[str], seed: int = 0) -> list[str]:
    return [f"  {text.upper()} ?!" for text in texts]


Change = Callable[[Any, int], Any]


def _row(name: str, inputs: Sequence[Any], change: Change) -> str:
    """How many hold, and for how many most of the copies do."""
    shares, majorities = [], []
    for key in range(KEYS):
        cells = Cells(Draw(b"%d" % key))
        own = cells_of(cells, inputs)
        same = np.array(
            [
                [one == other for one, other in zip(own, cells_of(cells, varied), strict=True)]
                for varied in (change(inputs, seed) for seed in range(_COPIES))
            ]
        )
        shares.append(same.mean())
        majorities.append((same.mean(axis=0) > 0.5).mean())
    return f"{name:34}{np.mean(shares):8.0%}{np.mean(majorities):14.0%}"


def _distinct(name: str, inputs: Sequence[Any]) -> str:
    cells = [Counter(cells_of(Cells(Draw(b"%d" % key)), inputs)) for key in range(KEYS)]
    many = np.mean([len(found) for found in cells])
    shared = np.mean([sum(n * n for n in found.values()) for found in cells]) / len(inputs)
    return f"{name:34}{len(inputs):8}{many:10.0f}{shared:12.1f}"


def main() -> None:
    texts = _questions(Path(sys.argv[1])) if sys.argv[1:] else questions(4000, 1)
    digits, wine = load_digits().data, load_wine().data
    print(f"{'small changes':34}{'hold':>8}{'most hold':>14}")
    for share in (0.01, 0.03, 0.05):
        print(_row(f"digits, noise of {share:.0%}", digits[:600], _noise(share)))
    for share in (0.01, 0.03, 0.05):
        print(_row(f"table of 13 columns, noise of {share:.0%}", wine, _noise(share)))
    for name, change in (
        ("other looks", cosmetic),
        ("one letter changed", slipped),
        ("one word more", prefixed),
        ("one word changed", changed),
    ):
        print(_row(f"questions, {name}", texts[:: len(texts) // 600], change))
    print(f"\n{'inputs':34}{'all':>8}{'cells':>10}{'in one cell':>12}")
    for name, inputs in (("digits", digits), ("table of 13 columns", wine), ("questions", texts)):
        print(_distinct(name, inputs))


def _questions(folder: Path) -> list[str]:
    with (folder / "banking_train.csv").open(encoding="utf-8") as file:
        return sorted({row["text"] for row in csv.DictReader(file)})


def _noise(share: float) -> Change:
    return lambda inputs, seed: noisy(inputs, share, seed)


if __name__ == "__main__":
    main()
