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


def test_a_vocabulary_is_made_of_what_texts_say_most() -> None:
    every = words(40)
    tokens = {("\u0120" if at % 2 else "\u2581") + word: at for at, word in enumerate(every)}
    tokens |= {"rest": 90, "\u0120unsaid": 91}
    texts = [" ".join(every), f"{every[5]} rest {every[5]}"]
    first, *others = made(tokens, texts).words
    assert (first.word, first.tokens, first.usual) == (every[5], (5,), 3.0)
    assert {each.word for each in others} == {*every} - {every[5]}
    with pytest.raises(Malformed, match="1 words"):
        made(tokens, [every[0]])
