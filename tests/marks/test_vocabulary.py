from typing import Any

import orjson
import pytest

from extproc.errors import Malformed
from extproc.marks.vocabulary import FEWEST, MOST, made, read
from tests.marks.wordlists import content, vocabulary, words


def changed(**first: Any) -> bytes:
    """A file whose first word has other members."""
    file = orjson.loads(content())
    file["words"][0] |= first
    return orjson.dumps(file)


def test_a_file_says_which_tokens_write_which_words() -> None:
    first = read(changed(tokens=[7000, 7001], usual=3)).words[0]
    assert (first.word, first.tokens, first.usual) == (words(1)[0], (7000, 7001), 3.0)


@pytest.mark.parametrize(
    ("file", "wrong"),
    [
        (b"{}", "no vocabulary"),
        (b"\xff", "no vocabulary"),
        (content(FEWEST - 1), "length"),
        (changed(word="two words"), "no word"),
        (changed(word="Upper"), "no word"),
        (changed(word=words(2)[1]), "word stands there twice"),
        (changed(tokens=[1]), "token stands there twice"),
        (changed(tokens=[*range(1000, 1000 + MOST)]), "359 tokens"),
        (changed(tokens=[-1]), "no vocabulary"),
        (changed(usual=0), "no vocabulary"),
        (changed(more=1), "no vocabulary"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(file: bytes, wrong: str) -> None:
    with pytest.raises(Malformed, match=wrong):
        read(file)


def test_words_are_counted_however_they_look() -> None:
    one, two, three = words(3)
    soft = "\u00ad"
    texts = [f"{one} {one.upper()}, {two}! {three}s", f"{two[:1]}{soft}{two[1:]} \uff42al x{one}"]
    assert one == "bal"
    assert vocabulary().counts(texts)[:3].tolist() == [3.0, 2.0, 0.0]


def test_a_vocabulary_is_made_of_what_is_most_usual() -> None:
    every = words(40)
    tokens = {word: (at,) for at, word in enumerate(every)}
    usual = dict.fromkeys([*every, "rest"], 1.0) | {every[5]: 3.0}
    first, *others = made(tokens, usual, 35).words
    assert (first.word, first.tokens, first.usual) == (every[5], (5,), 3.0)
    assert [each.word for each in others] == [*every[:5], *every[6:35]]
    with pytest.raises(Malformed, match="1 words are there"):
        made(tokens, {every[0]: 1.0, "rest": 5.0})


def test_each_word_has_a_token_before_any_has_another() -> None:
    """Planted: to fill up word by word leaves the last ones without any."""
    every = words(120)
    tokens = {word: (at, at + 1000, at + 2000, at + 3000) for at, word in enumerate(every)}
    made_of = made(tokens, {word: 1.0 / at for at, word in enumerate(every, 1)}).words
    assert [each.tokens for each in made_of[:60]] == [tokens[word][:3] for word in every[:60]]
    assert [each.tokens for each in made_of[60:]] == [tokens[word][:2] for word in every[60:]]
    assert sum(len(each.tokens) for each in made_of) == MOST


def test_what_is_the_same_is_written_alike() -> None:
    assert read(vocabulary().json) == vocabulary()
    assert read(vocabulary().json).json == vocabulary().json
