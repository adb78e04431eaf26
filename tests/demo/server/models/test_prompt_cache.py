from extproc.demo.server.models import prompt_cache
from extproc.demo.server.models.prompt_cache import PromptCache
from extproc.demo.server.models.tiny_lm import TinyLm
from extproc.demo.server.models.vocabulary import Vocabulary


def test_a_prompt_is_the_tokens_of_its_texts_in_a_row(tiny_lm: TinyLm) -> None:
    tokens = PromptCache(tiny_lm.vocabulary).encode(["The import", "statement"], "").tokens
    spelled = b"".join(tiny_lm.vocabulary.spellings[token] for token in tokens)
    assert spelled == b"The import statement"


def test_only_an_unbroken_prefix_counts_as_cached(tiny_lm: TinyLm) -> None:
    cache = PromptCache(tiny_lm.vocabulary)
    first = cache.encode(["You are kind.", "Hello"], "")
    assert first.cached == 0
    assert cache.encode(["You are kind.", "Hello"], "").cached == len(first.tokens)
    prefix = len(tiny_lm.vocabulary.encode("You are kind."))
    assert cache.encode(["You are kind.", "Bye"], "").cached == prefix
    assert cache.encode(["You are rude.", "Hello"], "").cached == 0


def test_another_salt_shares_nothing(tiny_lm: TinyLm) -> None:
    cache = PromptCache(tiny_lm.vocabulary)
    assert cache.encode(["Hello"], "a").cached == 0
    assert cache.encode(["Hello"], "b").cached == 0
    assert cache.encode(["Hello"], "a").cached > 0


def test_the_cache_is_bounded_and_forgets_the_least_recently_used(tiny_lm: TinyLm) -> None:
    cache = PromptCache(tiny_lm.vocabulary)
    for number in range(prompt_cache._MAX_ENTRIES):
        cache.encode([str(number)], "")
    assert cache.encode(["0"], "").cached > 0
    cache.encode(["one more"], "")
    assert len(cache._entries) == prompt_cache._MAX_ENTRIES
    assert cache.encode(["0"], "").cached > 0
    assert cache.encode(["1"], "").cached == 0


def test_every_token_fits_the_cache(tiny_lm: TinyLm) -> None:
    vocabulary: Vocabulary = tiny_lm.vocabulary
    everything = "".join(map(chr, range(0x20, 0x250)))
    tokens = PromptCache(vocabulary).encode([everything], "").tokens
    assert list(tokens) == vocabulary.encode(everything)
