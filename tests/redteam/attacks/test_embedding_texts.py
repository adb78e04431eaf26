"""Texts come from the pool, and answers keep their places."""

import numpy as np

from extproc.redteam.attacks import embedding_texts


def test_no_text_is_drawn_twice_while_the_pool_lasts_and_joined_ones_follow() -> None:
    pool = [f"one two {at} {at + 100}" for at in range(20)]
    drawn = embedding_texts.draw(pool, 25, np.random.default_rng(0))
    assert set(drawn[:20]) == set(pool)
    assert all(text.split()[:2] == ["one", "two"] and len(text.split()) == 4 for text in drawn[20:])
    assert drawn == embedding_texts.draw(pool, 25, np.random.default_rng(0))


def test_narrower_answers_are_filled_with_nan() -> None:
    stacked = embedding_texts.stacked([np.ones((1, 3)), np.ones((2, 2))])
    assert np.array_equal(np.isnan(stacked), [[0, 0, 0], [0, 0, 1], [0, 0, 1]])


def test_of_a_small_pool_as_many_are_drawn_half_of_one_and_half_of_another() -> None:
    pool = ["a b c d", "e f g h"]
    found = embedding_texts.draw(pool, 40, np.random.default_rng(1))
    assert len(found) == 40
    assert sorted(found[:2]) == pool
    assert set(found[2:]) == {*pool, "a b g h", "e f c d"}
