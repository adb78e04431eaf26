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
_SPACES: Final = tuple("\u0120\u2581 ")
_WORD: Final = re.compile(r"[^\W\d_]+")


class Word(Struct, frozen=True, forbid_unknown_fields=True):
    """One that may be green."""

    word: str
    tokens: Annotated[tuple[Annotated[int, Meta(ge=0, lt=1 << 32)], ...], Meta(min_length=1)]
    """Ids of the tokens that write it: with a space before it, without, and capitalised."""
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

    def counts(self, texts: Iterable[str]) -> Vector:
        """Shape (words,): how often each stands in any of the texts."""
        found: Counter[str] = Counter()
        for text in texts:
            found.update(_words(text))
        return np.array([float(found[each.word]) for each in self.words])


def read(content: bytes) -> Vocabulary:
    """Raise Malformed, which says what is wrong with the file."""
    try:
        vocabulary = msgspec.json.decode(content, type=Vocabulary)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Malformed(f"no vocabulary: {error}") from error
    _check([each.word for each in vocabulary.words], vocabulary.words)
    return vocabulary


def made(tokens: Mapping[str, int], texts: Sequence[str]) -> Vocabulary:
    """Of the words that texts say most and that one token each writes with a space before it.

    ``tokens``: ids by how they are spelled, a space as byte-level tokenizers write it, or
    SentencePiece.  To be looked through by somebody before it is used.  Raise Malformed where there
    are too few.
    """
    ids = {text[1:]: token for text, token in tokens.items() if text[:1] in _SPACES}
    known = Counter(word for text in texts for word in _words(text) if word in ids)
    common = known.most_common(MOST)
    if len(common) < FEWEST:
        raise Malformed(f"{len(common)} words of the texts are tokens, and {FEWEST} are needed")
    return Vocabulary(tuple(Word(word, (ids[word],), float(count)) for word, count in common))


def _check(names: Sequence[str], words: Sequence[Word]) -> None:
    tokens = [token for each in words for token in each.tokens]
    if len(tokens) > MOST:
        raise Malformed(f"{len(tokens)} tokens, and a request has a bias for {MOST} at most")
    for name in names:
        if _words(name) != [name]:
            raise Malformed(f"{name[:40]!r} is no word as it is read: in lower case, letters alone")
    for kind, every in (("word", names), ("token", tokens)):
        if len(set(every)) < len(every):
            raise Malformed(f"a {kind} stands there twice")


def _words(text: str) -> list[str]:
    """Folded as canonical.py folds, so that looks do not take a mark away."""
    if not text.isascii():
        normal = unicodedata.normalize("NFKC", text)
        text = "".join(each for each in normal if unicodedata.category(each) != "Cf")
    return _WORD.findall(text.casefold())
