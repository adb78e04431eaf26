"""Spaces that were turned by planted rotations come together again."""

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.surrogates import alignment, ridge
from extproc.redteam.surrogates.alignment import Share

WIDE, KEYS = 16, 5
RNG = np.random.default_rng(3)


def _turn() -> Floats:
    turned: Floats = np.linalg.qr(RNG.normal(size=(WIDE, WIDE)))[0]
    return turned


def test_as_many_shared_texts_as_dimensions_align_exactly() -> None:
    points = [np.concatenate([POINTS[:WIDE], RNG.normal(size=(9, WIDE))]) for _ in range(KEYS)]
    first = _turn()
    served = [points[0] @ first, *(each @ _turn() for each in points[1:])]
    aligned = alignment.by_anchors(served, WIDE)
    for each, true in zip(aligned, points, strict=True):
        assert np.allclose(each, true @ first)


def test_fewer_shared_texts_do_not() -> None:
    served = [POINTS @ _turn() for _ in range(2)]
    aligned = alignment.by_anchors(served, WIDE // 2)
    assert ridge.cosine(aligned[1], aligned[0]) < 0.95


def test_a_public_model_aligns_without_a_single_shared_text() -> None:
    secret = RNG.normal(size=(WIDE, WIDE))
    known = [RNG.normal(size=(14, WIDE)) for _ in range(KEYS * 4)]
    turns = [_turn() for _ in known]
    shares = [Share(each, each @ secret @ turn) for each, turn in zip(known, turns, strict=True)]
    fitted = alignment.by_map(shares)
    fresh = RNG.normal(size=(200, WIDE))
    alone = ridge.chosen(shares[0].known, shares[0].served)
    truth = fresh @ secret @ turns[0]
    assert ridge.cosine(fitted(fresh), truth) > ridge.cosine(alone(fresh), truth) + 0.02


POINTS = RNG.normal(size=(40, WIDE))
