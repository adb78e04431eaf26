"""The words that may be on a green list, and which tokens of a model write them.

Rule: the operator chooses them, since only whoever knows a model's tokenizer and its use can say
which words may come more often without harm; the file is no secret, which half is green is.  Words
are told apart as they are read in a text: folded, and nothing but letters.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta, Struct

from extproc.errors import Malformed
from extproc.prediction import Vector

MOST: Final = 300
"""Tokens that a model server takes a bias for in one request (OpenAI's own bound)."""
FEWEST: Final = 30
"""Words: of fewer, even a text of all green ones and no red comes by chance once in 2^29."""
LONGEST: Final = 64
"""Letters of a word."""
_WORD: Final = re.compile(r"[^\W\d_]+")


class Word(Struct, frozen=True, forbid_unknown_fields=True):
    """One that may be green."""

    word: Annotated[str, Meta(max_length=LONGEST)]
    tokens: Annotated[tuple[Annotated[int, Meta(ge=0, lt=1 << 32)], ...], Meta(min_length=1)]
    """Ids of the tokens that write it: with a space before it; capitalised, with and without."""
    usual: Annotated[float, Meta(gt=0, le=1e12)] = 1.0
    """How often it comes, beside the others, in texts that nobody marked; in any unit.  A wrong
    number costs power and no certainty."""


class Vocabulary(Struct, frozen=True, forbid_unknown_fields=True):
    """As its file has it, in JSON."""

    words: Annotated[tuple[Word, ...], Meta(min_length=FEWEST, max_length=MOST)]

    @property
    def usual(self) -> Vector:
        """Shape (words,)."""
        return np.array([each.usual for each in self.words])

    @property
    def json(self) -> bytes:
        """What is the same has the same, whoever wrote its file."""
        return msgspec.json.encode(self)

    def counts(self, texts: Iterable[str]) -> Vector:
        """Shape (words,): how often each stands in any of the texts."""
        found: Counter[str] = Counter()
        for text in texts:
            found.update(words(text))
        return np.array([float(found[each.word]) for each in self.words])


def read(content: bytes) -> Vocabulary:
    """Raise Malformed, which says what is wrong with the file."""
    try:
        vocabulary = msgspec.json.decode(content, type=Vocabulary)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Malformed(f"no vocabulary: {error}") from error
    _check([each.word for each in vocabulary.words], vocabulary.words)
    return vocabulary


def made(
    tokens: Mapping[str, Sequence[int]], usual: Mapping[str, float], most: int = MOST
) -> Vocabulary:
    """Of the most usual words, at most ``most``; to be looked through before it is used.

    ``tokens``: ids of what writes each word, the one that matters most first.  Where there are too
    many, each word keeps its first ones.  Raise Malformed where there are too few words.
    """
    common = sorted((word for word in usual if word in tokens), key=lambda word: -usual[word])[
        :most
    ]
    if len(common) < FEWEST:
        raise Malformed(f"{len(common)} words are there that a token writes; {FEWEST} are needed")
    forms = [(form, word) for word in common for form in range(len(tokens[word]))]
    room = Counter(word for _, word in sorted(forms, key=lambda each: each[0])[:MOST])
    return Vocabulary(
        tuple(Word(word, tuple(tokens[word][: room[word]]), float(usual[word])) for word in common)
    )


def _check(names: Sequence[str], every: Sequence[Word]) -> None:
    tokens = [token for each in every for token in each.tokens]
    if len(tokens) > MOST:
        raise Malformed(f"{len(tokens)} tokens, and a request has a bias for {MOST} at most")
    for name in names:
        if words(name) != [name]:
            raise Malformed(f"{name[:40]!r} is no word as it is read: in lower case, letters alone")
    for kind, values in (("word", names), ("token", tokens)):
        if len(set(values)) < len(values):
            raise Malformed(f"a {kind} stands there twice")


def words(text: str) -> list[str]:
    """As a text has them; folded as canonical.py folds, so that looks do not take a mark away."""
    if not text.isascii():
        normal = unicodedata.normalize("NFKC", text)
        text = "".join(each for each in normal if unicodedata.category(each) != "Cf")
    return _WORD.findall(text.casefold())
