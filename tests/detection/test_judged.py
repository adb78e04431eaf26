"""What is quick about a trial is no different from what the sidecar does."""

import numpy as np
import pytest

from extproc.calibration.lives import Watch
from extproc.calibration.thresholds import combined
from extproc.detectors.calibration import Threshold
from tests.detection.attackers import ATTACKS
from tests.detection.curves import NEVER
from tests.detection.grammar import grammar
from tests.detection.judged import Judge, firsts
from tests.detection.populations import FOUR, Life, storm
from tests.detection.texts import Corpus

RNG = np.random.default_rng(1)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return grammar(RNG)


@pytest.fixture(scope="module")
def judge(corpus: Corpus) -> Judge:
    return Judge(corpus, RNG)


def _lives(corpus: Corpus) -> list[Life]:
    kinds = [kind for kind, _ in FOUR.values()]
    return [kind(corpus, "set", RNG) for kind in [*kinds, storm]]


def test_lives_come_to_the_same_as_exchange_by_exchange(corpus: Corpus, judge: Judge) -> None:
    quick = judge.panel(0.8)
    plain = Watch(quick.layout, quick.decay)
    for whole in _lives(corpus):
        life = Life(whole.rows[:150], whole.times[:150], whole.outcomes[:150])
        found, told = quick.course(judge.exchanges(life)), plain.course(judge.plainly(life))
        assert found == pytest.approx(told, abs=1e-4)
        assert len(found) == len(life.rows)


def test_a_thief_is_flagged_at_the_first_query_that_reaches_the_threshold(
    corpus: Corpus, judge: Judge
) -> None:
    watch = judge.panel(0.8)
    life = ATTACKS["knockoff, half mixed"](corpus, 60, RNG)
    course = combined(
        watch.names, watch.course(judge.exchanges(life)), dict.fromkeys(watch.names, 0.0)
    )
    reached = [_threshold(nats) for nats in (course[0], course[30:].max(), course.max() + 1)]
    found = firsts(watch, reached, judge.exchanges(life))
    assert found[0] == 1
    assert found[1] == int(np.argmax(course >= reached[1].nats)) + 1
    assert found[2] == NEVER


def _threshold(nats: float) -> Threshold:
    return Threshold(nats - 1e-3, {}, 1, 1, 0, 0.0, 1.0)
