import numpy as np

from extproc.demo.server.models.classifier import softmax


def test_probabilities_are_the_softmax_of_the_logits() -> None:
    scores = softmax(np.log([[1.0, 1.0, 2.0], [3.0, 6.0, 1.0]]))
    np.testing.assert_allclose(scores.probabilities, [[0.25, 0.25, 0.5], [0.3, 0.6, 0.1]])
    assert scores.labels.tolist() == [2, 1]


def test_large_logits_do_not_overflow() -> None:
    scores = softmax(np.array([[1e4, 0.0], [-1e4, 1e4]]))
    np.testing.assert_array_equal(scores.probabilities, [[1, 0], [0, 1]])
