"""Both ways to count shares give the same; what the shares are like, test_round.py says."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extproc.mutators._apportion import apportioned, few, many, most_steps
from extproc.mutators._domain import SMALL
from extproc.prediction import Probabilities
from tests.mutators.vectors import frozen, probabilities

grids = st.sampled_from([1, 2, 3, 7, 10, 97, 100, 1000, 4095, 10**6])


@given(probabilities, grids)
@example(Probabilities(frozen([0.19, 0.2, 0.2, 0.2, 0.2])), 10)
@example(Probabilities(frozen([0.302, 0.301, 0.1])), 100)
@example(Probabilities(frozen([0.21, 0.22, 0.215])), 10)
@example(Probabilities(frozen([0.0, 5e-324])), 100)
def test_few_classes_and_many_are_counted_alike(prediction: Probabilities, grid: int) -> None:
    values = prediction.values
    if values.any():
        assert few(values.tolist(), grid) == many(values, grid).tolist()
    else:
        assert few(values.tolist(), grid) == [0] * values.size


@pytest.mark.parametrize("classes", [1, SMALL, SMALL + 1, 1000])
@given(seed=st.integers(0, 2**32), grid=grids)
def test_the_steps_add_up(classes: int, seed: int, grid: int) -> None:
    values = np.random.default_rng(seed).dirichlet(np.ones(classes))
    steps = apportioned(values, grid) * grid
    assert np.abs(steps - np.rint(steps)).max() < 1e-6
    assert np.rint(steps).sum() == grid


@given(probabilities, grids)
def test_no_sum_is_more_than_is_counted_with(prediction: Probabilities, grid: int) -> None:
    raised = prediction.values * (1.01 / max(1.0, prediction.values.sum()))
    assert np.rint(apportioned(raised, grid) * grid).sum() <= most_steps(grid)


@pytest.mark.parametrize("classes", [3, 100])
def test_nothing_to_share_is_no_steps(classes: int) -> None:
    assert apportioned(np.zeros(classes) * -1.0, 10).tobytes() == np.zeros(classes).tobytes()
    assert apportioned(np.zeros(0), 10).shape == (0,)
