"""The baseline does what its paper says: synthetic queries beside natural ones are noticed."""

import numpy as np

from tests.detection.prada import FEWEST, Prada


def natural(count: int, rng: np.random.Generator) -> list[np.ndarray]:
    return list(rng.standard_normal((count, 30)))


def test_queries_of_one_normal_distribution_are_not_noticed() -> None:
    rng = np.random.default_rng(0)
    prada = Prada()
    for query in natural(300, rng):
        prada.ask(query, int(query[0] > 0))
    assert not prada.flagged


def test_seeds_that_are_augmented_are_noticed_once_there_are_enough() -> None:
    rng = np.random.default_rng(1)
    prada = Prada()
    seeds = natural(150, rng)
    early = [prada.ask(query, 0) for query in seeds[:FEWEST]]
    assert set(early) == {1.0}
    for query in [*seeds[FEWEST:], *(each + 0.1 * np.sign(each) for each in seeds)]:
        prada.ask(query, 0)
    assert prada.flagged


def test_queries_that_are_all_as_far_apart_are_noticed() -> None:
    prada = Prada()
    for number in range(FEWEST + 5):
        prada.ask(np.eye(FEWEST + 5)[number], 0)
    assert prada.flagged
