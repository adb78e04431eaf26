import math

import numpy as np
import pytest

from extproc.cohorts.excess import BINS, LEVELS
from extproc.cohorts.usual import CHECKPOINTS, LEAST_NATS, Usual, checkpoint, undecayed, usual

RISING = tuple(float(level) for level in range(len(LEVELS)))


def place(of: Usual, checkpoint: int, nats: float, detector: str = "novelty") -> int:
    return of.bins(checkpoint, {detector: nats})[0]


def test_how_rare_evidence_is_among_benign_callers_is_told() -> None:
    lives = np.random.default_rng(1).normal(50, 20, (len(CHECKPOINTS), 4000))
    found = usual({"novelty": lives.tolist()})
    fresh = np.random.default_rng(2).normal(50, 20, 4000)
    above = np.array([place(found, 0, each) for each in fresh])
    for number, level in enumerate(LEVELS, 1):
        assert 1 - level - 0.06 < (above >= number).mean() <= 1 - level, "its upper limit"


def test_what_most_benign_callers_have_is_not_rare_though_many_have_the_same() -> None:
    found = usual({"knobs": [[0.3] * 150] * len(CHECKPOINTS)})
    assert place(found, 1, 0.3, "knobs") == place(found, 1, 0.34, "knobs") == 0
    assert place(found, 1, 0.36, "knobs") == LEVELS.index(0.95) + 1, "150 do not tell more"


def test_what_is_nearly_the_same_is_the_same() -> None:
    lives = [[0.3] * 500 + [0.4] * 400 + [0.9] * 100] * len(CHECKPOINTS)
    found = usual({"coverage": lives})
    told = [place(found, 0, nats, "coverage") for nats in (0.1, 0.3, 0.4, 0.44, 0.8, 1.0)]
    assert told[:4] == [0] * 4
    assert 0 < told[4] < told[5]


def test_evidence_for_a_caller_is_never_rare() -> None:
    found = usual({"knobs": [[-math.inf] * 1000] * len(CHECKPOINTS)})
    assert place(found, 0, -math.inf, "knobs") == place(found, 0, LEAST_NATS, "knobs") == 0
    assert place(found, 0, 0.1, "knobs") == BINS - 1


def test_who_asks_slowly_is_compared_as_if_he_had_not() -> None:
    counters = np.array([1.5, 0.5, 7.0], np.float32)
    assert undecayed(counters, counters[:2], 4).tolist() == [3.0, 1.0, 14.0]
    assert undecayed(counters, counters[:2], 100).tolist() == [3.0, 1.0, 14.0], "at most twice"
    assert undecayed(counters, counters[:2], 1).tolist() == counters.tolist()
    assert undecayed(counters, counters[:0], 9).tolist() == counters.tolist()


def test_too_few_benign_callers_are_not_enough() -> None:
    with pytest.raises(ValueError, match="99 benign callers are too few"):
        usual({"novelty": [[0.0] * 99] * len(CHECKPOINTS)})
    with pytest.raises(ValueError, match="0 benign callers are too few"):
        usual({})


def test_where_too_few_got_so_far_nothing_is_rare() -> None:
    found = usual({"novelty": [[1.0] * 100, *[[1.0] * 99] * (len(CHECKPOINTS) - 1)]})
    assert place(found, 0, 1e9) > 0
    assert place(found, 1, 1e9) == 0


@pytest.mark.parametrize("row", [RISING[:-1], (*RISING[:-1], 0.0), (*RISING[:-1], math.nan)])
def test_quantiles_that_cannot_be_are_refused(row: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="quantiles"):
        Usual({"novelty": (row,) * len(CHECKPOINTS)})
    with pytest.raises(ValueError, match="quantiles"):
        Usual({"novelty": (RISING,)})


def test_the_last_checkpoint_passed_is_told() -> None:
    told = {0: -1, 0.9: -1, 1: 0, 2: 1, 3: 2, 4: 3, 7: 4, 31: 6, 32: 7, 1e6: 7}
    assert {count: checkpoint(count) for count in told} == told
