"""Queries that hardly differ: a copier of few seeds meets itself, a user of few topics does not."""

import math
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_digits

from extproc.detectors.corners import Corners
from extproc.detectors.near_duplicate import CELLS, NearDuplicate
from extproc.detectors.shingles import Shingles
from extproc.detectors.words import words
from extproc.draw import Draw
from tests.detectors.scenes import (
    counted,
    does_not_depend_on_order,
    evidence,
    exchange,
    says_nothing_of_nobody,
)

Vectors = npt.NDArray[np.float32]
CORNERS = Corners(Draw(b"key"))


def units(count: int, rng: np.random.Generator) -> Vectors:
    vectors = rng.standard_normal((count, 64), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def near(seeds: Vectors, count: int, cosine: float, rng: np.random.Generator) -> Vectors:
    """Queries round seeds, each at this angle from its own."""
    chosen = seeds[rng.integers(len(seeds), size=count)]
    return np.float32(cosine) * chosen + np.float32(np.sqrt(1 - cosine**2)) * units(count, rng)


def said(vectors: Vectors) -> float:
    return evidence(NearDuplicate(), [exchange(simhashes=CORNERS.nearest(vectors))])


def test_neither_order_nor_replicas_nor_decay_change_it() -> None:
    does_not_depend_on_order(NearDuplicate(), np.random.default_rng(0))


def test_nothing_is_said_of_nobody() -> None:
    says_nothing_of_nobody(NearDuplicate())


TYPO = 0.94
"""The cosine of a text of CLINC150 and itself with a letter changed; of an image, a faint noise."""
NOISE = 0.98


@pytest.mark.parametrize(
    ("cosine", "seeds", "least"),
    [(NOISE, 5, 90.0), (NOISE, 10, 35.0), (NOISE, 20, 8.0), (TYPO, 5, 25.0), (TYPO, 10, 5.0)],
)
def test_small_edits_of_a_few_seeds_are_noticed_within_fifty_queries(
    cosine: float, seeds: int, least: float
) -> None:
    rng = np.random.default_rng(seeds)
    found = [said(near(units(seeds, rng), 50, cosine, rng)) for _ in range(40)]
    assert np.quantile(found, 0.1) > least


TEXTS = Shingles(Draw(b"key"))


def written(texts: list[str]) -> float:
    alike = TEXTS.bands([words(each) for each in texts])
    return evidence(NearDuplicate(), [exchange(simhashes=alike)])


def edits(seeds: list[str], count: int, rng: np.random.Generator) -> list[str]:
    """Each of a text that is known, of which one word is another."""
    known = [*seeds]
    while len(known) < count:
        parts = known[rng.integers(len(known))].split()
        parts[rng.integers(len(parts))] = str(rng.choice(VOCABULARY))
        known.append(" ".join(parts))
    return known


def told(count: int, rng: np.random.Generator) -> list[str]:
    """Two topics, in words that are chosen anew."""
    topics = VOCABULARY[:60], VOCABULARY[60:120]
    return [" ".join(rng.choice(topics[at % 2], 9, replace=False)) for at in range(count)]


VOCABULARY = ["".join(each) for each in product("bdfgk", "aeiou", "lmnr", "aou")][:240]


def test_words_that_are_edited_one_by_one_are_noticed_within_thirty_texts() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        assert written(edits(told(5, rng), 30, rng)) > 15.0


def test_two_topics_in_words_chosen_anew_are_not() -> None:
    rng = np.random.default_rng(6)
    for count in (20, 50, 200, 1000):
        assert max(written(told(count, rng)) for _ in range(5)) < 3.0


def test_a_few_queries_say_nothing() -> None:
    assert evidence(NearDuplicate(), [exchange(simhashes=[7] * 7)]) == -math.inf
    assert evidence(NearDuplicate(), [exchange(simhashes=[7] * 9)]) > 5.0


def test_each_band_has_its_own_cells() -> None:
    counters = counted(NearDuplicate(), [exchange(simhashes=[0, 0])])
    assert np.flatnonzero(counters).tolist() == [0, CELLS, 2 * CELLS, 3 * CELLS]
    assert counters.sum() == 8.0


def test_bands_are_mixed_in_32_bits_and_spread_over_all_cells() -> None:
    rng = np.random.default_rng(5)
    simhashes = rng.integers(0, 2**64, 300, dtype=np.uint64)
    bands = simhashes.astype("<u8").view("<u2").reshape(-1, 4).astype(np.uint32)
    mixed = bands * np.uint32(0x9E3779B1) >> np.uint32(16)
    starts = np.arange(4, dtype=np.uint32) * np.uint32(CELLS)
    cells = (mixed * np.uint32(CELLS) >> np.uint32(16)) + starts
    counters = counted(NearDuplicate(), [exchange(simhashes=simhashes)], 0.5)
    expected = 0.5 * np.bincount(cells.ravel(), minlength=4 * CELLS)
    assert counters[: 4 * CELLS].tolist() == expected.tolist()


def known(vectors: Vectors, surprises: npt.NDArray[np.float64]) -> float:
    """Of queries that the reference knows the like of, so surprising."""
    cells, told = np.zeros(len(vectors), np.int16), surprises.astype(np.float32)
    alike = CORNERS.nearest(vectors)
    return evidence(NearDuplicate(), [exchange(simhashes=alike, cells=cells, surprises=told)])


def test_a_user_of_a_few_topics_is_not() -> None:
    """Of numbers as far apart as texts of one intent of CLINC150 are in a reference's sketches, and
    as usual as others'.
    """
    rng = np.random.default_rng(7)
    for topics, most in ((1, 50), (2, 1000), (5, 1000), (20, 1000)):
        for count in (20, 50, 200, 1000):
            if count <= most:
                topic = [near(units(topics, rng), count, 0.625, rng) for _ in range(5)]
                assert max(known(each, rng.exponential(1.0, count)) for each in topic) < 8.0


def test_what_is_alike_and_odd_says_more_than_what_is_alike_alone() -> None:
    rng = np.random.default_rng(11)
    edits = near(units(5, rng), 50, TYPO, rng)
    odd, usual = rng.exponential(1.0 / 0.5, 50), rng.exponential(1.0, 50)
    assert known(edits, odd) > said(edits) + 3.0
    assert known(edits, usual) < said(edits)


def test_hundreds_on_one_topic_that_are_as_usual_as_any_say_far_less() -> None:
    """As edits of twenty seeds they would, if they were odd."""
    rng = np.random.default_rng(12)
    for _ in range(5):
        topic = near(units(1, rng), 400, 0.7, rng)
        assert said(topic) > 8.0
        assert known(topic, rng.exponential(1.0, 400)) < said(topic) - 15.0


def test_what_is_odd_and_not_alike_is_for_another_detector() -> None:
    rng = np.random.default_rng(13)
    apart = units(60, rng)
    assert said(apart) < 0.0
    assert known(apart, np.full(60, 8.0)) == pytest.approx(said(apart))


def images() -> Vectors:
    """Of handwritten digits, as a sketch has them: off the usual, of length 1."""
    found = load_digits().data.astype(np.float32)
    found = (found - found.mean(axis=0)) / (found.std(axis=0) + np.float32(1))
    made: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return made


def test_whoever_asks_about_all_images_asks_about_no_few_of_them() -> None:
    simhashes = CORNERS.nearest(images()[:1300])
    own = [exchange(simhashes=simhashes)]
    assert evidence(NearDuplicate(numbers=True), own) < -20.0
    assert evidence(NearDuplicate(), own) > evidence(NearDuplicate(numbers=True), own) + 20.0


def test_noise_on_few_images_is_noticed_within_fifty_queries() -> None:
    rng = np.random.default_rng(8)
    seeds = images()[rng.permutation(1797)[:5]]
    edits = near(seeds, 50, NOISE, rng)
    simhashes = CORNERS.nearest(edits)
    assert evidence(NearDuplicate(numbers=True), [exchange(simhashes=simhashes)]) > 25.0
