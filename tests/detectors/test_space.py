"""The space of one kind of input: see extproc/detectors/space.py."""

from typing import Any

import numpy as np

from extproc.detectors.grams import Grams
from extproc.detectors.reference import Domain
from extproc.detectors.space import NEAREST, PROBED, Space, unit
from extproc.detectors.words import words
from extproc.draw import Draw
from tests.detectors.questions import KEY, questions, reference

DOMAIN = reference().domains["text"]
SPACE = Space(DOMAIN)
INPUTS = Grams(Draw(KEY)).of([words(each) for each in questions(60, 7)])
SKETCHES = SPACE.sketches(INPUTS)
PROBES = SPACE.probed(SKETCHES)


def _arrays(domain: Domain) -> tuple[Any, Any]:
    centres = np.frombuffer(domain.centres, "<f4").reshape(-1, domain.width).astype(np.float64)
    points = np.frombuffer(domain.points, np.int8).reshape(-1, domain.width) * domain.unit
    return centres, points


def test_sketches_are_the_shorter_the_less_the_projection_shows() -> None:
    lengths = np.linalg.norm(SKETCHES, axis=1)
    assert (lengths <= 1 + 1e-5).all()
    odd = Grams(Draw(KEY)).of(
        [bytes(each) for each in np.random.default_rng(0).integers(97, 122, (60, 40))]
    )
    assert np.linalg.norm(SPACE.sketches(odd), axis=1).max() < np.median(lengths)


def test_the_length_is_by_what_the_projection_does_not_show() -> None:
    weighed = unit(INPUTS * np.frombuffer(DOMAIN.scale, "<f4")).astype(np.float64)
    off = weighed - np.frombuffer(DOMAIN.mean, "<f4")
    projection = np.frombuffer(DOMAIN.projection, "<f2").reshape(-1, DOMAIN.dimensions)
    made = off @ projection.astype(np.float64)
    spreads = np.frombuffer(DOMAIN.spreads, "<f4").astype(np.float64)
    shown = (made**2 * spreads).sum(1)
    rest = DOMAIN.unseen * np.maximum((off**2).sum(1) - shown, 0)
    expected = made / np.sqrt((made**2).sum(1) + rest)[:, None]
    assert np.allclose(SKETCHES, expected, atol=2e-3)


def test_a_unit_vector_has_the_length_one_where_it_has_any() -> None:
    assert unit(np.zeros((1, 3), np.float32)).tolist() == [[0, 0, 0]]


def test_cells_are_those_with_the_nearest_centres() -> None:
    centres, _ = _arrays(DOMAIN)
    assert np.array_equal(PROBES, np.argsort(-(SKETCHES @ centres.T), 1)[:, :PROBED])


def test_nearness_is_the_mean_cosine_with_the_nearest_points_of_these_cells() -> None:
    _, points = _arrays(DOMAIN)
    crowds = np.frombuffer(DOMAIN.crowds, "<f4")
    cells = np.repeat(np.arange(len(DOMAIN.sizes)), DOMAIN.sizes)
    for sketch, probed, near in zip(
        SKETCHES, PROBES, SPACE.nearness(SKETCHES, PROBES), strict=True
    ):
        cosines = np.sort((points @ sketch - crowds)[np.isin(cells, probed)])
        assert np.isclose(near, cosines[-NEAREST:].mean(), atol=1e-5)


def test_the_nearest_points_of_all_are_seldom_elsewhere() -> None:
    everywhere = np.tile(np.arange(len(DOMAIN.sizes)), (len(SKETCHES), 1))
    space = Space(DOMAIN)
    space._probed = len(DOMAIN.sizes)
    nearest = space.nearness(SKETCHES, everywhere)
    missed = nearest - SPACE.nearness(SKETCHES, PROBES)
    space._probed = 1
    missed_by_one = nearest - space.nearness(SKETCHES, PROBES[:, :1])
    assert (missed > -1e-6).all()
    assert missed.mean() < 0.6 * missed_by_one.mean()


def test_a_sketch_is_the_same_in_any_company() -> None:
    alone = np.concatenate([SPACE.sketches(INPUTS[at : at + 1]) for at in range(len(INPUTS))])
    assert np.allclose(alone, SKETCHES, atol=1e-6)


def test_surprises_are_those_of_ranks() -> None:
    ranks = np.frombuffer(DOMAIN.ranks, "<f4")
    total = len(ranks) + 1
    near = np.array([-1.0, ranks[0], ranks[99], 2.0], np.float32)
    p = np.array([1, 2, 101, total]) / total
    assert np.allclose(SPACE.surprises(near), -np.log(p), atol=1e-6)
