"""Removals from copies that are linear maps."""

from collections.abc import Sequence

import numpy as np
import pytest

from extproc.redteam.answers import Floats
from extproc.redteam.laundering.maps import LinearCopy, distilled, fine_tuned, opened, pruned
from extproc.redteam.surrogates import ngrams
from tests.redteam import planted

TEXTS = planted.texts(60)
VECTORS = planted.private_vectors(TEXTS)
COPY = opened(ngrams.fit(ngrams.counted(TEXTS), VECTORS))


def test_what_was_opened_says_what_it_said() -> None:
    found = ngrams.fit(ngrams.counted(TEXTS), VECTORS)
    assert opened(found)(TEXTS) == pytest.approx(found(TEXTS))
    with pytest.raises(TypeError, match="no copy"):
        opened(lambda texts: np.zeros((len(texts), 1)))


def test_pruning_takes_the_smallest_weights() -> None:
    after = pruned(COPY, 0.5)
    gone = (after.weights == 0) & (COPY.weights != 0)
    assert np.mean(after.weights == 0) >= 0.5
    assert np.abs(COPY.weights[gone]).max() <= np.abs(after.weights[after.weights != 0]).min()
    assert (pruned(COPY, 0.0).weights == COPY.weights).all()


def test_fine_tuning_brings_texts_of_a_group_together() -> None:
    def features(texts: Sequence[str]) -> Floats:
        return np.array([[float(text), 1.0] for text in texts])

    copy = LinearCopy(features, np.array([[1.0], [0.0]]), np.zeros(1))
    texts, groups = ["0", "1", "10", "11"], np.array([0, 1, 0, 1])
    before, after = copy(texts), fine_tuned(copy, texts, groups, 10.0)(texts)
    apart = [np.ptp(found[groups == 0]) for found in (before, after)]
    assert apart[1] < 0.6 * apart[0]


def test_a_student_has_what_the_copy_says_and_nothing_else() -> None:
    student = distilled(lambda texts: np.ones((len(texts), 3)), TEXTS)
    assert student(["another text"]) == pytest.approx(np.ones((1, 3)))
