"""Which words may stand in a vocabulary, which tokens write them, and how usual they are.

Rule: a word is what one token writes whole, in lower case and with a space before it; so most names
are left out.  What else is to be left out, somebody who knows the use has to say.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from extproc.marks.vocabulary import LONGEST, words

SHORTEST: Final = 2
"""Letters: one alone is mostly a part, as of "it's"."""
RANKED: Final = 4
"""Letters where no text says what is a word: most that is shorter begins another."""


def word_tokens(spellings: Mapping[str, int]) -> dict[str, Sequence[int]]:
    """The ids of the tokens that write each word, in the order of ``spellings``.

    First the one with a space before it; then those that are capitalised, with a space and without.
    Not the one that is in lower case without: it writes a part of other words, as "in" of "line",
    and a bias for it changes those.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for text, token in spellings.items():
        bare = text.removeprefix(" ")
        form = _form(bare, spaced=bare != text)
        folded = words(bare)
        if form is not None and len(folded) == 1 and SHORTEST <= len(folded[0]) <= LONGEST:
            found.setdefault(folded[0], []).append((form, token))
    return {
        word: tuple(token for _, token in sorted(forms))
        for word, forms in found.items()
        if min(forms)[0] == 0
    }


def _form(bare: str, *, spaced: bool) -> int | None:
    if not bare.isalpha():
        return None
    if bare == bare.lower():
        return 0 if spaced else None
    if bare == bare.capitalize():
        return 1 if spaced else 2
    return None


def counted(texts: Iterable[str]) -> Mapping[str, float]:
    """How often texts say each word."""
    return Counter(word for text in texts for word in words(text))


def ranked(tokens: Mapping[str, Sequence[int]]) -> Mapping[str, float]:
    """How often each word may come, by Zipf's law: tokenizers learn the usual ones first."""
    by_id = sorted((ids[0], word) for word, ids in tokens.items() if len(word) >= RANKED)
    return {word: round(1e6 / place, 1) for place, (_, word) in enumerate(by_id, 1)}
