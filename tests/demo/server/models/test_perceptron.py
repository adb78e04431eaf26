import numpy as np
from sklearn.neural_network import MLPClassifier

from extproc.demo.server.models.classifier import Signature
from extproc.demo.server.models.perceptron import HIDDEN, Perceptron

ROWS = np.random.default_rng(0).uniform(0, 2, (90, 4))
LABELS = ROWS[:, :3].argmax(axis=1)
SIGNATURE = Signature("three", "x", 4, 3)


def test_it_says_what_scikit_learn_says() -> None:
    learner = MLPClassifier((HIDDEN,), learning_rate_init=5e-3, tol=1e-3, random_state=0)
    theirs = learner.fit(ROWS / 2, LABELS).predict_proba(ROWS / 2)
    ours = Perceptron.fit(SIGNATURE, ROWS, LABELS, scale=2.0).score(ROWS)
    np.testing.assert_allclose(ours.probabilities, theirs, atol=1e-12)


def test_every_start_yields_the_same_model() -> None:
    one, two = (Perceptron.fit(SIGNATURE, ROWS, LABELS) for _ in range(2))
    np.testing.assert_array_equal(one.inner, two.inner)
    np.testing.assert_array_equal(one.outer, two.outer)
