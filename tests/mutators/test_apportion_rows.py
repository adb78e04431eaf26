"""The steps of a row are those it gets by itself; what those are like, test_apportion.py says."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extproc.mutators._apportion import apportioned
from extproc.mutators._apportion_rows import apportioned_rows
from extproc.prediction import Matrix
from tests.mutators.test_apportion import grids
from tests.mutators.vectors import frozen


def _rows(seed: int, rows: int, width: int, decimals: int) -> Matrix:
    random = np.random.default_rng(seed)
    values = random.dirichlet(np.full(width, random.choice([0.05, 1.0, 50.0])), rows)
    return frozen(np.floor(values * 10**decimals) / 10**decimals if decimals < 9 else values)


matrices = st.builds(
    _rows,
    st.integers(0, 2**32),
    st.integers(1, 20),
    st.sampled_from([1, 2, 10, 64, 100, 500]),
    st.integers(1, 9),
)


@pytest.mark.parametrize("order", ["C", "F"])
@given(rows=matrices, grid=grids)
@example(frozen([[0.19, 0.2, 0.2, 0.2, 0.2]]), 10)
@example(frozen([[0.302, 0.301, 0.1], [0.0, -0.0, 0.0], [0.0, 5e-324, 0.0]]), 100)
@example(frozen([[0.21, 0.22, 0.215], [0.105, 0.205, 0.305]]), 10)
@example(frozen([[0.5, 0.5], [1.0, 0.0]]), 1)
@example(frozen([[0.2, 0.1999999999999, 0.2], [0.0, 0.0, 1.0]]), 10)
def test_a_row_gets_the_steps_it_gets_by_itself(order: str, rows: Matrix, grid: int) -> None:
    laid = np.asarray(rows, order=order)  # type: ignore[call-overload]
    alone = np.array([apportioned(row, grid) for row in rows])
    assert apportioned_rows(laid, grid).tobytes() == alone.tobytes()
