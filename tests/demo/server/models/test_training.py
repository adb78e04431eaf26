from typing import Any

import numpy as np
import pytest

from extproc.demo.server.models import training
from extproc.demo.server.models.vocabulary import SIZE

PARAGRAPHS = [[1 + (start + step) % 50 for step in range(40)] for start in range(400)]


@pytest.fixture(scope="module")
def weights() -> training.Weights:
    return training.train(PARAGRAPHS)


def test_training_learns_what_always_follows(weights: training.Weights) -> None:
    hidden = training.forward(weights, np.array([[5, 6, 7, 8]])).hidden
    assert (hidden @ weights["unembedding"].T).argmax() == 9


def test_training_twice_gives_the_same_weights(weights: training.Weights) -> None:
    again = training.train(PARAGRAPHS)
    for name, array in weights.items():
        np.testing.assert_array_equal(again[name], array)


def test_gradients_are_the_slopes_of_the_loss() -> None:
    random = np.random.default_rng(1)
    weights: dict[str, Any] = {
        name: array.astype(np.float64) for name, array in training._initial(random).items()
    }
    contexts, targets = random.integers(0, SIZE, (8, training.CONTEXT)), np.arange(8)
    gradients = training._gradients(weights, contexts, targets)

    def loss() -> float:
        logits = training.forward(weights, contexts).hidden @ weights["unembedding"].T
        raised = np.exp(logits)
        return float(-np.log(raised[np.arange(8), targets] / raised.sum(axis=1)).mean())

    for name, array in weights.items():
        place = np.unravel_index(np.abs(gradients[name]).argmax(), array.shape)
        array[place] += 1e-5
        above = loss()
        array[place] -= 2e-5
        below = loss()
        array[place] += 1e-5
        np.testing.assert_allclose((above - below) / 2e-5, gradients[name][place], rtol=1e-4)
