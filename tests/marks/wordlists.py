"""Vocabularies for tests: words that nobody chose."""

from itertools import islice, product

import orjson

from extproc.marks.vocabulary import Vocabulary, read


def words(count: int) -> list[str]:
    return ["".join(letters) for letters in islice(product("bdfgk", "aeiou", "lmnrst"), count)]


def content(count: int = 60) -> bytes:
    """A file of so many words, of one token each."""
    every = [{"word": word, "tokens": [at]} for at, word in enumerate(words(count))]
    return orjson.dumps({"words": every})


def vocabulary(count: int = 60) -> Vocabulary:
    return read(content(count))
