from pathlib import Path

import numpy as np

from extproc.demo.server.models import corpus, training
from extproc.demo.server.models.tiny_lm import TinyLm, log_softmax
from extproc.demo.server.models.vocabulary import END, SIZE


def _perplexity(model: TinyLm, paragraphs: list[str]) -> float:
    losses = []
    for paragraph in paragraphs:
        tokens = [*model.vocabulary.encode(paragraph), END]
        for place, token in enumerate(tokens):
            losses.append(-log_softmax(model.logits(tokens[:place]))[token])
    return float(np.exp(np.mean(losses)))


def test_the_model_has_learned_to_continue_text_it_never_saw(tiny_lm: TinyLm) -> None:
    held_out = list(corpus.read().held_out)[:20]
    assert _perplexity(tiny_lm, held_out) < 60  # a model that learned nothing has 1024


def test_the_probabilities_of_all_tokens_sum_to_one(tiny_lm: TinyLm) -> None:
    logprobs = log_softmax(tiny_lm.logits(tiny_lm.vocabulary.encode("The import statement")))
    assert logprobs.shape == (SIZE,)
    assert abs(np.exp(logprobs).sum() - 1) < 1e-12


def test_the_logits_of_all_contexts_lie_in_a_space_of_the_hidden_size(tiny_lm: TinyLm) -> None:
    random = np.random.default_rng(0)
    logits = np.array([tiny_lm.logits(list(random.integers(0, SIZE, 4))) for _ in range(200)])
    singular = np.linalg.svd(logits, compute_uv=False)
    assert singular[training.HIDDEN - 1] > 1e-3 * singular[0]
    assert singular[training.HIDDEN] < 1e-12 * singular[0]


def test_only_the_last_four_tokens_matter(tiny_lm: TinyLm) -> None:
    np.testing.assert_array_equal(
        tiny_lm.logits([9, 8, 7, 1, 2, 3, 4]), tiny_lm.logits([1, 2, 3, 4])
    )
    np.testing.assert_array_equal(tiny_lm.logits([]), tiny_lm.logits([END] * 4))


def test_a_second_start_reads_the_weights_of_the_first(tiny_lm: TinyLm, cache_home: Path) -> None:
    said: list[str] = []
    again = TinyLm.load(cache_home / "extproc", said.append)
    assert said == []
    assert again.fingerprint == tiny_lm.fingerprint
    for name, array in tiny_lm.parameters.items():
        np.testing.assert_array_equal(again.parameters[name], array)
