from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from extproc.demo.server.models.sampling import Sampled, Sampler, Sampling
from extproc.demo.server.models.tiny_lm import TinyLm, log_softmax
from extproc.demo.server.models.vocabulary import END, SIZE


def _random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def sample(
    model: TinyLm, prompt: Sequence[int], sampling: Sampling, random: np.random.Generator
) -> Iterator[Sampled]:
    return Sampler(model, prompt, sampling).sample(random)


def test_many_continuations_of_a_prompt_are_what_each_would_be_alone(tiny_lm: TinyLm) -> None:
    prompt = tiny_lm.vocabulary.encode("The import statement")
    sampling = Sampling(max_tokens=6, top_p=0.9, alternatives=3, logit_bias={77: 2.0})
    sampler = Sampler(tiny_lm, prompt, sampling)
    together = [list(sampler.sample(_random(seed))) for seed in range(5)]
    alone = [list(sample(tiny_lm, prompt, sampling, _random(seed))) for seed in range(5)]
    assert together == alone
    assert len({tuple(said.token for said in each) for each in alone}) > 1


def test_a_logprob_is_the_log_softmax_at_its_token_whatever_the_temperature(
    tiny_lm: TinyLm,
) -> None:
    prompt = tiny_lm.vocabulary.encode("The import statement")
    sampling = Sampling(max_tokens=12, temperature=1.7, top_p=0.9, alternatives=20)
    context = list(prompt)
    for sampled in sample(tiny_lm, prompt, sampling, _random()):
        logprobs = log_softmax(tiny_lm.logits(context))
        assert sampled.logprob == logprobs[sampled.token]
        assert [logprob for _, logprob in sampled.alternatives] == sorted(logprobs)[:-21:-1]
        assert all(logprob == logprobs[token] for token, logprob in sampled.alternatives)
        context.append(sampled.token)
    assert len(context) > len(prompt)


def test_bias_moves_logits_and_with_them_the_logprobs(tiny_lm: TinyLm) -> None:
    biased = tiny_lm.logits([])
    biased[77] += 3.5
    expected = log_softmax(biased)
    sampling = Sampling(max_tokens=1, temperature=0, alternatives=20, logit_bias={77: 3.5})
    (sampled,) = sample(tiny_lm, [], sampling, _random())
    assert dict(sampled.alternatives) == {t: expected[t] for t, _ in sampled.alternatives}
    (forced,) = sample(tiny_lm, [], Sampling(max_tokens=1, logit_bias={77: 100}), _random())
    assert forced.token == 77


def test_the_model_itself_is_not_moved_by_bias(tiny_lm: TinyLm) -> None:
    before = tiny_lm.logits([]).copy()
    list(sample(tiny_lm, [], Sampling(max_tokens=3, logit_bias={77: 100}), _random()))
    np.testing.assert_array_equal(tiny_lm.logits([]), before)


def test_temperature_zero_takes_the_likeliest(tiny_lm: TinyLm) -> None:
    greedy = Sampling(max_tokens=20, temperature=0, alternatives=1)
    for sampled in sample(tiny_lm, [], greedy, _random()):
        assert sampled.alternatives[0] == (sampled.token, sampled.logprob)


def test_tokens_are_as_frequent_as_they_are_likely(tiny_lm: TinyLm) -> None:
    prompt = tiny_lm.vocabulary.encode("The import statement")
    probabilities = np.exp(log_softmax(tiny_lm.logits(prompt)))
    random, draws = _random(), 2000
    once = Sampling(max_tokens=1)
    seen = Counter(s.token for _ in range(draws) for s in sample(tiny_lm, prompt, once, random))
    for token in np.argsort(-probabilities)[:5]:
        deviation = np.sqrt(draws * probabilities[token] * (1 - probabilities[token]))
        assert abs(seen[int(token)] - draws * probabilities[token]) < 5 * deviation


def test_a_nucleus_leaves_only_the_likeliest(tiny_lm: TinyLm) -> None:
    prompt = tiny_lm.vocabulary.encode("The import statement")
    probabilities = np.exp(log_softmax(tiny_lm.logits(prompt)))
    order = np.argsort(-probabilities)
    size = int(np.searchsorted(np.cumsum(probabilities[order]), 0.5)) + 1
    random, nucleus = _random(), Sampling(max_tokens=1, top_p=0.5)
    seen = {s.token for _ in range(500) for s in sample(tiny_lm, prompt, nucleus, random)}
    assert seen <= {int(token) for token in order[:size]}
    assert len(seen) > 1


def test_text_ends_where_the_model_ends_it(tiny_lm: TinyLm) -> None:
    ended = Sampling(max_tokens=5, logit_bias={END: 100})
    assert list(sample(tiny_lm, [], ended, _random())) == []
    endless = Sampling(max_tokens=300, logit_bias={END: -100})
    assert sum(1 for _ in islice(sample(tiny_lm, [], endless, _random()), SIZE)) == 300
