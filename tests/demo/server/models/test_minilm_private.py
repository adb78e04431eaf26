import numpy as np

from extproc.demo.server.models.minilm import MiniLm
from extproc.demo.server.models.minilm_private import PrivateMiniLm

TEXTS = [f"Sentence {number} of a book about {word}." for number in range(8) for word in "abc"]


def test_its_vectors_are_the_heads_of_the_public_ones(minilm: MiniLm) -> None:
    private = PrivateMiniLm.on(minilm)
    raw = minilm.embed(TEXTS).vectors @ private.head
    expected = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    np.testing.assert_allclose(private.embed(TEXTS).vectors, expected, atol=1e-6)


def test_every_start_has_the_same_head(minilm: MiniLm) -> None:
    np.testing.assert_array_equal(PrivateMiniLm.on(minilm).head, PrivateMiniLm.on(minilm).head)
