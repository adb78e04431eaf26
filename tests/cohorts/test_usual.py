import math

import numpy as np
import pytest

from extproc.cohorts.excess import BINS
from extproc.cohorts.usual import CHECKPOINTS, Usual, checkpoint, usual


def test_how_rare_evidence_is_among_benign_callers_is_told() -> None:
    lives = np.random.default_rng(1).normal(0, 1, (len(CHECKPOINTS), 4000))
    found = usual({"novelty": lives.tolist()})
    fresh = np.random.default_rng(2).normal(0, 1, 4000)
    shares = np.bincount([found.bin("novelty", 0, each) for each in fresh], minlength=BINS) / 4000
    assert np.allclose(shares, [0.5, 0.3, 0.15, 0.04, 0.01], atol=0.03)


def test_what_most_benign_callers_have_is_not_rare_though_many_have_the_same() -> None:
    found = usual({"knobs": [[0.0] * 150] * len(CHECKPOINTS)})
    assert found.bin("knobs", 1, 0.0) == 0
    assert found.bin("knobs", 1, 0.1) == BINS - 1


def test_too_few_benign_callers_are_not_enough() -> None:
    with pytest.raises(ValueError, match="99 benign callers are too few"):
        usual({"novelty": [[0.0] * 99] * len(CHECKPOINTS)})
    with pytest.raises(ValueError, match="0 benign callers are too few"):
        usual({})


def test_where_too_few_got_so_far_nothing_is_rare() -> None:
    found = usual({"novelty": [[1.0] * 100, *[[1.0] * 99] * (len(CHECKPOINTS) - 1)]})
    assert found.bin("novelty", 0, 1e9) == BINS - 1
    assert found.bin("novelty", 1, 1e9) == 0


def test_what_says_nothing_of_a_benign_caller_may_be_rare_where_it_does() -> None:
    found = usual({"knobs": [[-math.inf] * 200] * len(CHECKPOINTS)})
    assert found.bin("knobs", 0, -math.inf) == 0
    assert found.bin("knobs", 0, -5.0) == BINS - 1


@pytest.mark.parametrize("row", [(1.0, 2.0), (1.0, 3.0, 2.0, 4.0), (1.0, 2.0, 3.0, math.nan)])
def test_quantiles_that_cannot_be_are_refused(row: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="quantiles"):
        Usual({"novelty": (row,) * len(CHECKPOINTS)})
    with pytest.raises(ValueError, match="quantiles"):
        Usual({"novelty": ((1.0, 2.0, 3.0, 4.0),)})


def test_the_last_checkpoint_passed_is_told() -> None:
    told = {0: -1, 0.9: -1, 1: 0, 2: 1, 3: 1, 4: 2, 31: 4, 32: 5, 1e6: 5}
    assert {count: checkpoint(count) for count in told} == told
