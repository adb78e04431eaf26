"""Marks are found in spaces that were laid elsewhere, and in none that has not seen them."""

import math

import numpy as np
import pytest

from extproc.draw import Draw
from extproc.marks.positions import positions
from extproc.marks.spaces import accused, moved, residues, turned
from extproc.prediction import Matrix
from tests.mutators.vectors import gaussian

STRENGTH = 0.05
TEXTS, DIMENSIONS = 400, 64
KEY, OTHER = Draw(b"k" * 32), Draw(b"o" * 32)
RNG = np.random.default_rng(0)
RAW = np.array([gaussian(seed, DIMENSIONS) for seed in range(TEXTS)])


def marked(key: Draw = KEY) -> Matrix:
    """As the mutator serves them, but for the length."""
    placed = positions(key, DIMENSIONS)
    steps = np.array([placed.of(row) for row in RAW], float)
    served: Matrix = RAW + STRENGTH * steps / np.linalg.norm(steps, axis=1, keepdims=True)
    return served


def rotation() -> Matrix:
    return np.linalg.qr(np.random.default_rng(1).normal(size=(DIMENSIONS, DIMENSIONS)))[0]


MIXED = np.random.default_rng(2).normal(size=(DIMENSIONS, DIMENSIONS))
THIEVES = {
    "as it is": marked(),
    "rounded": marked().round(2),
    "longer, and elsewhere": marked() * 7.0 + 3.0,
    "rotated": marked() @ rotation(),
    "mapped": marked() @ MIXED,
    "cut": marked()[:, :24],
    "of more dimensions": np.hstack([marked(), marked() @ MIXED]),
    "noisy": marked() + 0.01 * RNG.normal(size=RAW.shape),
}


@pytest.mark.parametrize("suspect", THIEVES.values(), ids=THIEVES)
def test_marks_are_found_wherever_the_space_was_laid(suspect: Matrix) -> None:
    """Planted: signs turned round, or moves of another key, are found nowhere."""
    found = moved(KEY, STRENGTH, RAW, residues(RAW, suspect))
    assert found.bits < -60
    assert moved(OTHER, STRENGTH, RAW, residues(RAW, suspect)).bits > -10


def test_how_much_of_the_marks_is_left_is_told() -> None:
    whole = moved(KEY, STRENGTH, RAW, residues(RAW, marked()))
    half = moved(KEY, STRENGTH, RAW, residues(RAW, (marked() + RAW) / 2))
    assert 0.7 < whole.kept <= 1.05
    assert half.kept == pytest.approx(whole.kept / 2, rel=0.05)
    noise = RAW + 0.01 * RNG.normal(size=RAW.shape)
    assert abs(moved(KEY, STRENGTH, RAW, residues(RAW, noise)).kept) < 0.1


def test_each_way_of_looking_is_paid_for() -> None:
    """Planted: the better of two p-values, told as if it were the only one, fails here."""
    both = residues(RAW, (marked() + 4 * RAW) / 5 + 0.01 * RNG.normal(size=RAW.shape))
    alone = [moved(KEY, STRENGTH, RAW, [each]).bits for each in both]
    assert moved(KEY, STRENGTH, RAW, both).bits == pytest.approx(min(alone) + 1)


CLEAN = {
    "the original": RAW,
    "the original, mapped": RAW @ MIXED,
    "noise": RNG.normal(size=RAW.shape),
    "a constant": np.ones_like(RAW),
    "nothing": np.zeros_like(RAW),
    "of one dimension": RAW[:, :1],
    "another's marks": marked(OTHER),
}


@pytest.mark.parametrize("suspect", CLEAN.values(), ids=CLEAN)
def test_nobody_else_is_accused(suspect: Matrix) -> None:
    assert moved(KEY, STRENGTH, RAW, residues(RAW, suspect)).bits > -10


def test_an_original_without_a_spread_tells_nothing() -> None:
    same = np.tile(RAW[:1], (20, 1))
    assert moved(KEY, STRENGTH, same, residues(same, RAW[:20])).bits > -10
    nothing = np.zeros((20, 4))
    assert moved(KEY, STRENGTH, nothing, residues(nothing, RAW[:20])).bits == 0.0


def test_vectors_that_no_move_falls_on_tell_nothing() -> None:
    keys = (Draw(b"%d" % number) for number in range(200))
    key = next(each for each in keys if not positions(each, 1).moves.any(axis=(1, 2)).all())
    raw = RNG.normal(size=(30, 1))
    found = moved(key, STRENGTH, raw, residues(raw, raw**2))
    assert -10 < found.bits <= 0


@pytest.mark.parametrize("suspect", [RAW[:-1], np.full_like(RAW, np.nan)])
def test_what_is_no_suspect_is_refused(suspect: Matrix) -> None:
    with pytest.raises(ValueError, match="one for each text"):
        residues(RAW, suspect)


def test_p_values_of_clean_models_are_uniform() -> None:
    """By each way; planted: signs that the evidence hangs on fail here.  Of 200 models, each
    seen under a key of its own: above 1.95 once in a thousand times.
    """
    for way in (0, 1):
        seen = []
        for seed in range(200):
            rng = np.random.default_rng(seed)
            raw = RAW[:60, :16]
            suspect = np.tanh(3 * raw @ rng.normal(size=(16, 12)))
            key = Draw(b"%d" % seed)
            seen.append(moved(key, STRENGTH, raw, residues(raw, suspect)[way : way + 1]).deviations)
        normal = np.array([math.erfc(each / math.sqrt(2)) / 2 for each in sorted(seen)])
        ranks = np.arange(1, 201) / 200
        assert np.abs(normal[::-1] - ranks).max() * math.sqrt(200) < 1.95
        assert max(seen) < 4


def test_a_tenants_rotation_is_told_by_its_signs() -> None:
    signs, mix = RNG.choice([-1.0, 1.0], DIMENSIONS), rotation()
    suspect = (RAW * signs) @ mix
    assert turned(signs, lambda axis: axis @ mix, RAW, suspect) < -40
    assert turned(signs, lambda axis: axis @ mix, RAW, suspect.round(1)) < -40
    assert turned(signs, lambda axis: axis @ mix, RAW, suspect[:, :32]) < -20
    assert turned(-signs, lambda axis: axis @ mix, RAW, suspect) == 0.0
    assert turned(signs, lambda axis: axis @ mix, RAW, suspect @ rotation()) > -10


def test_only_whose_marks_are_found_is_named_the_most_certain_first() -> None:
    bits = {"a": -12.0, "b": -40.0, "c": -1.0, "d": -10.5}
    assert accused(bits) == [("b", -38.0)]
    assert accused(bits, 1e-3) == [("b", -38.0), ("a", -12.0 + math.log2(3))]
    assert accused(bits, 2.0**-9) == [("b", -38.0), ("a", -12.0 + math.log2(3)), ("d", -9.5)]
    assert accused({}) == []
