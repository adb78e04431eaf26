import numpy as np
from sklearn.ensemble import RandomForestClassifier

from extproc.demo.server.models.classifier import Signature
from extproc.demo.server.models.digits import split
from extproc.demo.server.models.forest import TREES, Forest


def test_it_says_what_scikit_learn_says(forest: Forest) -> None:
    images, held_out, labels, _ = split()
    theirs = RandomForestClassifier(TREES, random_state=0).fit(images / 16, labels)
    uniform = np.random.default_rng(0).uniform(0, 16, (200, 64))
    for rows in (held_out, uniform):
        ours = forest.score(rows).probabilities
        np.testing.assert_allclose(ours, theirs.predict_proba(rows / 16), atol=1e-12)


def test_trees_of_one_leaf_vote_too() -> None:
    rows = np.zeros((4, 2))
    labels = np.array([0, 1, 1, 1])
    forest = Forest.fit(Signature("flat", "x", 2, 2, logits=False), rows, labels)
    assert forest.depth == 0
    scores = forest.score(rows)
    assert scores.labels.tolist() == [1, 1, 1, 1]
    assert scores.logits is None
