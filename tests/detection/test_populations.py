"""Who asks in a trial: lives of their length, of texts that no other part holds."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from extproc.canonical import text
from tests.detection import attackers, populations
from tests.detection.attackers import ATTACKS
from tests.detection.grammar import grammar
from tests.detection.languages import LEARNT, UNKNOWN
from tests.detection.populations import FOUR, LONGEST, ODD, SHORTEST, Kind, Life
from tests.detection.texts import Corpus

KINDS: dict[str, Kind] = {**{name: kind for name, (kind, _) in FOUR.items()}, **ODD}
Make = Callable[[np.random.Generator], Life]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return grammar(np.random.default_rng(1))


def test_no_text_is_in_two_parts(corpus: Corpus) -> None:
    """Told by letters and digits, as the sidecar tells them."""
    parts = {
        part: {text(corpus.pool.texts[row]) for row in corpus.whole(part)} for part in corpus.parts
    }
    parts_of_all = [*parts.values(), {text(corpus.pool.texts[row]) for row in corpus.elsewhere}]
    for one, other in combinations(parts_of_all, 2):
        assert one.isdisjoint(other)
    assert all(len(each) >= 300 for each in parts_of_all)


@pytest.mark.parametrize("name", KINDS)
def test_benign_callers_ask_what_their_part_holds(corpus: Corpus, name: str) -> None:
    rng = np.random.default_rng(2)
    whole = corpus.whole("set")
    asked = set(whole).union(*(rows[whole] for rows in corpus.abroad.values()))
    for _ in range(20):
        life = KINDS[name](corpus, "set", rng)
        assert set(life.rows) <= asked
        assert len(life.rows) == len(life.times) == len(life.outcomes or life.rows)
        assert (np.diff(life.times) >= 0).all()


@pytest.mark.parametrize("name", FOUR)
def test_lives_are_of_all_lengths(corpus: Corpus, name: str) -> None:
    rng = np.random.default_rng(3)
    lengths = [len(FOUR[name][0](corpus, "set", rng).rows) for _ in range(200)]
    assert SHORTEST <= min(lengths) < 30
    assert 700 < max(lengths) <= LONGEST


def test_who_speaks_another_language_asks_in_no_other(corpus: Corpus) -> None:
    rng = np.random.default_rng(4)
    for _ in range(10):
        several, strange = (
            set(KINDS[name](corpus, "set", rng).rows)
            for name in ("multilingual", "of an unknown language")
        )
        assert strange <= set(corpus.abroad[UNKNOWN])
        assert several <= set(np.concatenate([corpus.abroad[name] for name in LEARNT]))


def test_a_probe_asks_one_thing_every_minute(corpus: Corpus) -> None:
    life = populations.probe(corpus, "set", np.random.default_rng(4))
    assert len(set(life.rows)) == 1
    assert np.diff(life.times) == pytest.approx(60.0, abs=0.2)


def test_an_evaluation_asks_every_class_alike(corpus: Corpus) -> None:
    life = populations.evaluation(corpus, "set", np.random.default_rng(4))
    counts = [len(set(life.rows) & set(rows)) for rows in corpus.parts["set"]]
    assert len(set(counts)) == 1


def test_in_a_storm_what_failed_is_asked_again(corpus: Corpus) -> None:
    life = populations.storm(corpus, "set", np.random.default_rng(5))
    failed = [row for row, told in zip(life.rows, life.outcomes, strict=True) if told == "failed"]
    assert len(failed) >= 40
    assert len(set(failed)) <= 2


@pytest.mark.parametrize("name", ATTACKS)
def test_a_campaign_has_so_many_queries(corpus: Corpus, name: str) -> None:
    life = ATTACKS[name](corpus, 80, np.random.default_rng(6))
    assert len(life.rows) == len(life.times) == 80
    assert (np.diff(life.times) > 0).all()


def test_shares_of_a_mixture_are_as_they_should_be(corpus: Corpus) -> None:
    life = attackers.mixed(0.25)(corpus, 4000, np.random.default_rng(7))
    assert np.isin(life.rows, corpus.elsewhere).mean() == pytest.approx(0.25, abs=0.03)


def test_perturbations_are_near_their_seeds(corpus: Corpus) -> None:
    life = attackers.jacobian(corpus, 60, np.random.default_rng(8))
    texts = [set(corpus.pool.texts[row].split()) for row in life.rows]
    shared = [max(len(one & seed) / len(one | seed) for seed in texts[:5]) for one in texts]
    assert np.median(shared) > 0.5
    assert len(set(life.rows)) > 50
