"""The model of a trial knows most of what it is asked, and how sure it is."""

import numpy as np
import pytest

from tests.detection.attackers import ATTACKS
from tests.detection.grammar import grammar
from tests.detection.texts import Corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return grammar(np.random.default_rng(1))


def test_it_is_right_of_most_texts_that_it_has_not_learnt(corpus: Corpus) -> None:
    for number, rows in enumerate(corpus.parts["tried"]):
        found = corpus.victim.probabilities([corpus.pool.texts[row] for row in rows])
        assert found.sum(axis=1) == pytest.approx(np.ones(len(rows)))
        assert (found.argmax(axis=1) == number).mean() > 0.8


@pytest.mark.parametrize("attack", ["in-distribution, least sure", "walks to the boundary"])
def test_thieves_find_what_it_is_less_sure_of(corpus: Corpus, attack: str) -> None:
    def doubt(name: str) -> float:
        rows = ATTACKS[name](corpus, 30, np.random.default_rng(2)).rows.tolist()
        texts = [corpus.pool.texts[row] for row in rows]
        return float((1.0 - corpus.victim.margins(texts)).mean())

    assert doubt(attack) > 2.0 * doubt("in-distribution, uniform")
