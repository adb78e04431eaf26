"""Vectors of texts follow from their n-grams, over texts or over features."""

import numpy as np
import pytest

from extproc.redteam.surrogates import ngrams, ridge
from tests.redteam import planted


@pytest.mark.parametrize("features", [ngrams.FEATURES, 100])
def test_texts_of_known_words_are_embedded_alike(
    features: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fewer features than texts the other of two equal formulas is used."""
    monkeypatch.setattr(ngrams, "FEATURES", features)
    known, fresh = planted.texts(400), planted.texts(50, seed=5)
    fitted = ngrams.fit(ngrams.counted(known), planted.private_vectors(known))
    found = ridge.cosine(fitted(fresh), planted.private_vectors(fresh))
    assert found > (0.4 if features > len(known) else 0.2)


def test_rows_of_counts_have_length_one() -> None:
    counts = ngrams.counted(["one text", "another"]).toarray()
    assert np.allclose(np.linalg.norm(counts, axis=1), 1)


@pytest.mark.parametrize("count", [40, 100])
def test_both_formulas_are_those_of_ridge_regression(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ngrams, "FEATURES", 64)
    known, fresh = planted.texts(count), planted.texts(5, seed=5)
    vectors = planted.private_vectors(known) + 1
    fitted = ngrams.fit(ngrams.counted(known), vectors)
    inputs = ngrams.counted(known).toarray()
    centred = inputs - inputs.mean(axis=0)
    gram = centred.T @ centred + ngrams.STRENGTH * np.eye(64)
    weights = np.linalg.solve(gram, centred.T @ (vectors - vectors.mean(axis=0)))
    wanted = (ngrams.counted(fresh).toarray() - inputs.mean(axis=0)) @ weights
    assert np.allclose(fitted(fresh), wanted + vectors.mean(axis=0), atol=1e-10)
