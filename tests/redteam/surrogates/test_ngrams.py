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
