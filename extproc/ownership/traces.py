"""What a suspect's embeddings prove of one who was told something: see marks/spaces.py.

Rule: the model's own vectors, the moves' keys and the texts were fixed before the suspect was
known, and the suspect's vectors are held against them as they are.  Texts that are missing, or were
not answered, count against the accusation as if its owner had left them out where that helps: the
p-value is that of the best of all ways to leave out as many, by Bonferroni's bound.  All vectors
are brought to length 1 first, so that nobody hides by lengths.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from msgspec import Struct

from extproc.errors import ConfigError
from extproc.marks.sign_test import bits as proven
from extproc.marks.spaces import WAYS, Part, Trace, moved_by, residues
from extproc.ownership import embeddings
from extproc.ownership.answers import Answers
from extproc.ownership.evidence import Cell
from extproc.prediction import Matrix, Vector

KEPT: Final = 0.1
"""The part of the marks' strength that a copy keeps which is reckoned with; see power.py."""
_MISSED: Final = 0.8416
"""Deviations by which one of five such copies shows less."""
_WIDTH: Final = math.sqrt(2.0 * math.log(40.0))
"""Deviations that coins exceed, either way, once in twenty at most (Hoeffding, 1963)."""
_FARTHEST: Final = 200.0
"""Deviations; 2^-28,000."""


class Texts(Struct, frozen=True):
    """That are committed to."""

    texts: int
    """That count."""
    answered: int
    missing: int
    """Not in the vault, or not as the log has them."""
    others: int
    """Whose vectors have another number of components than most, and are not looked at."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Of one who was told something."""

    texts: Texts
    components: int = 0
    """Of each of their vectors."""
    trace: Trace | None = None
    """None where nothing was answered."""

    @classmethod
    def of(cls, cells: Sequence[Cell], answers: Answers) -> Self:
        """Raise ConfigError where the suspect's vectors have not all as many components."""
        whole = [_Text.of(cell, answers) for cell in cells if cell.entry is not None]
        sizes = Counter(each.raw.size for each in whole)
        most = max(sizes, key=lambda size: (sizes[size], size), default=0)
        own = [each for each in whole if each.raw.size == most]
        said = [each for each in own if each.said is not None]
        missing = len(cells) - len(whole)
        texts = Texts(len(own) + missing, len(said), missing, len(whole) - len(own))
        return cls(texts, most, _trace(said) if said else None)

    @property
    def bits(self) -> float:
        """log2 of the p-value, what is missing counted against the accusation."""
        return min(0.0, self.trace.bits + self._silence) if self.trace is not None else 0.0

    @property
    def kept(self) -> tuple[float, float, float]:
        """The effect, and its 95 % interval: see spaces.Trace."""
        if self.trace is None or self.trace.full <= 0.0:
            return 0.0, -1.0, 1.0
        found, full = self.trace.deviations, self.trace.full
        kept, low, high = (each / full for each in (found, found - _WIDTH, found + _WIDTH))
        return _share(kept), _share(low), _share(high)

    def enough(self, level: float) -> bool:
        """Whether a copy that keeps ``KEPT`` would be found four times of five, at a level in
        bits.  Of fewer texts than components a map takes up nearly all.
        """
        if self.trace is None or self.texts.answered <= self.components:
            return False
        before = level - self._silence - math.log2(len(WAYS))
        return KEPT * self.trace.most - _MISSED >= _deviations(before)

    @property
    def _silence(self) -> float:
        """Bits that all ways of leaving out as many are worth; one for whether any is left out."""
        texts, silent = self.texts.texts, self.texts.texts - self.texts.answered
        if not silent:
            return 1.0
        ways = math.lgamma(texts + 1) - math.lgamma(silent + 1) - math.lgamma(texts - silent + 1)
        return ways / math.log(2.0) + math.log2(2 * texts)


@dataclass(frozen=True, slots=True)
class _Text:
    raw: Vector
    """The model's own."""
    key: str
    strength: float
    said: Vector | None
    """The suspect's; None where it has said none."""

    @classmethod
    def of(cls, cell: Cell, answers: Answers) -> Self:
        assert cell.entry is not None
        moved = cell.entry.moved
        assert moved is not None
        said = answers.get(cell.question.question) if cell.question is not None else None
        own = said if isinstance(said, np.ndarray) else None
        return cls(embeddings.vector(moved), moved.key, moved.strength, own)


def _trace(texts: Sequence[_Text]) -> Trace:
    raw = np.array([each.raw for each in texts])
    suspect = _even(each.said for each in texts if each.said is not None)
    return moved_by([*_parts(texts)], raw, residues(raw, suspect))


def _even(vectors: Iterable[Vector]) -> Matrix:
    """Each of length 1; zeros stay."""
    rows = [each / (np.abs(each).max() or 1.0) for each in vectors]
    sizes = sorted({each.size for each in rows})
    if len(sizes) > 1:
        wrong = f"the suspect's embeddings have {sizes[0]} components, and {sizes[-1]}"
        raise ConfigError(f"{wrong}: they are no answers of one model; ask it anew")
    found = np.array(rows)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    scaled: Matrix = found / np.where(lengths == 0.0, 1.0, lengths)
    return scaled


def _parts(texts: Sequence[_Text]) -> Iterable[Part]:
    """By key: what one key has thrown is one coin, whenever it was."""
    for key in dict.fromkeys(each.key for each in texts):
        rows = [row for row, each in enumerate(texts) if each.key == key]
        yield Part(embeddings.draw(key), texts[rows[0]].strength, rows)


def _share(kept: float) -> float:
    return max(-1.0, min(1.0, kept))


def _deviations(level: float) -> float:
    """So many are as unlikely as this, in bits."""
    low, high = 0.0, _FARTHEST
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if proven(middle) <= level else (middle, high)
    return high
