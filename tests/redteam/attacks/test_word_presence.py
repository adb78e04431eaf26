"""Words that a vector holds are told; words that it does not hold are not."""

import numpy as np
import pytest

from extproc.redteam.attacks import word_presence
from extproc.redteam.surrogates.ridge import Spectrum
from extproc.redteam.vector_judge import unit


def test_words_are_neither_rare_nor_everywhere() -> None:
    texts = ["The cat sat", "the dog", "the dog ran", "the end"] + ["the"] * 16
    assert word_presence.chosen(texts) == ["cat", "dog", "end", "ran", "sat"]
    assert word_presence.chosen([*texts, *["the"] * 10]) == ["dog"]
    assert word_presence.chosen(["Cat.", "(cat)", "4 dogs", "owl"]) == ["cat", "dogs", "owl"]


def test_a_word_is_present_however_it_is_written() -> None:
    has = word_presence.present(["Cat, and dogs.", "a DOG"], ["cat", "dog"])
    assert has.tolist() == [[1, 0], [0, 1]]


def test_what_a_vector_holds_is_told_and_what_it_does_not_hold_is_not() -> None:
    rng = np.random.default_rng(1)
    has = (rng.random((900, 2)) < 0.3).astype(np.float64)
    vectors = rng.normal(size=(900, 12))
    vectors[:, :1] += 3 * has[:, :1]
    likeness = word_presence.fit(vectors[:600], has[:600])(
        vectors[600:] / np.linalg.norm(vectors[600:], axis=1, keepdims=True)
    )
    assert word_presence.mean_auc(likeness[:, :1], has[600:, :1]) > 0.95
    assert word_presence.mean_auc(likeness[:, 1:], has[600:, 1:]) == pytest.approx(0.5, abs=0.08)


def test_words_that_tell_no_texts_apart_do_not_count() -> None:
    likeness, has = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 1.0]])
    assert word_presence.mean_auc(likeness, has) == 1
    assert word_presence.mean_auc(likeness[:, 1:], has[:, 1:]) == 0.5


def test_the_penalty_is_the_one_that_tells_words_of_texts_it_has_not_seen() -> None:
    rng = np.random.default_rng(1)
    has = (rng.random((1_200, 3)) < 0.4).astype(np.float64)
    vectors = rng.normal(size=(1_200, 150)) * np.where(np.arange(150) < 3, 1, 0.3)
    vectors[:, :3] += 2 * has
    known, fresh = np.arange(200), np.arange(200, 1_200)
    fitted = word_presence.fit(vectors[known], has[known])
    spectrum = Spectrum.of(unit(vectors[known]))
    told = [
        word_presence.mean_auc(fit(unit(vectors[fresh])), has[fresh])
        for fit in (fitted, *spectrum.fits(has[known], word_presence.STRENGTHS))
    ]
    assert told[0] > told[1] + 0.15, "better than the weakest"
    assert told[0] > max(told[1:]) - 0.02
