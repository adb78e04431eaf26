"""What tiny-lm learns from: the prose of the Python language reference.

Rule: nothing is downloaded or committed.  The text comes with every CPython, as
``pydoc_data.topics``, under the PSF licence; another version of Python has another text and so
makes another model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pydoc_data.topics import topics
from typing import Final

_MIN_WORDS: Final = 8
_MIN_PROSE: Final = 0.85
_EVERY_HELD_OUT: Final = 20


@dataclass(frozen=True, slots=True)
class Corpus:
    """Paragraphs to learn from, and paragraphs the model never sees."""

    learned: Sequence[str]
    held_out: Sequence[str]


def read() -> Corpus:
    """About 1,200 distinct paragraphs, one line each; every twentieth is held out."""
    paragraphs = list(dict.fromkeys(_paragraphs()))
    held_out = paragraphs[::_EVERY_HELD_OUT]
    return Corpus([p for i, p in enumerate(paragraphs) if i % _EVERY_HELD_OUT], held_out)


def _paragraphs() -> Iterator[str]:
    for name in sorted(topics):
        for paragraph in topics[name].split("\n\n"):
            words = paragraph.split()
            text = " ".join(words)
            if len(words) >= _MIN_WORDS and _prose(text) >= _MIN_PROSE:
                yield text


def _prose(text: str) -> float:
    """The share of letters and blanks: low in grammars, tables and code."""
    return sum(character.isalpha() or character == " " for character in text) / len(text)
