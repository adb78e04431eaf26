import numpy as np
from sklearn.linear_model import LogisticRegression

from extproc.demo.server.models import digits as models
from extproc.demo.server.models.classifier import Signature
from extproc.demo.server.models.digits import split
from extproc.demo.server.models.softmax_regression import SoftmaxRegression


def test_probabilities_are_the_softmax_of_the_logits(digits: SoftmaxRegression) -> None:
    _, images, _, _ = split()
    scores = digits.score(images)
    assert scores.logits is not None
    raised = np.exp(scores.logits)
    np.testing.assert_allclose(scores.probabilities.sum(axis=1), 1, rtol=0, atol=1e-14)
    np.testing.assert_allclose(scores.probabilities, raised / raised.sum(axis=1, keepdims=True))


def test_every_start_yields_the_same_model(digits: SoftmaxRegression) -> None:
    again = models.regression()
    np.testing.assert_array_equal(again.weights, digits.weights)
    np.testing.assert_array_equal(again.bias, digits.bias)


def test_of_two_classes_it_says_what_scikit_learn_says() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 3))
    labels = (rows.sum(axis=1) > 0.3).astype(np.int64)
    model = SoftmaxRegression.fit(Signature("two", "x", 3, 2), rows, labels, c=1.0, scale=2.0)
    theirs = LogisticRegression(C=1.0).fit(rows / 2, labels).predict_proba(rows)
    ours = model.score(rows * 2).probabilities
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
