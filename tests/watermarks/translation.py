"""A paraphrase that a machine makes of itself: a text translated to another language and back.

Rule: the translator is Apertium, as Debian has it: dictionaries and rules of grammar (Forcada et
al., "Apertium: a free/open-source platform for rule-based machine translation", Machine Translation
25, 2011).  It keeps words that it does not know, and paragraphs are translated one by one.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Final

LANGUAGES: Final = {
    "Spanish": ("eng-spa", "spa-eng"),
    "Catalan": ("eng-cat", "cat-eng"),
    "Galician": ("en-gl", "gl-en"),
    "Esperanto": ("en-eo", "eo-en"),
}
"""The two directions of each, by Apertium's names."""
_PROGRAM: Final = "apertium"
_BLANK: Final = re.compile(r"\n\s*\n")
_TIMEOUT: Final = 600.0


class Absent(Exception):  # noqa: N818 - names a condition
    """What paraphrases is not installed."""


def check() -> None:
    """Raise Absent where a direction cannot be translated."""
    listed = ""
    if shutil.which(_PROGRAM):
        listed = subprocess.run([_PROGRAM, "-l"], capture_output=True, text=True, check=True).stdout
    if not {way for both in LANGUAGES.values() for way in both} <= set(listed.split()):
        raise Absent(
            "paraphrases are by Apertium: install Debian's apertium, apertium-eng-spa,"
            " apertium-eng-cat, apertium-en-gl and apertium-eo-en"
        )


def there_and_back(texts: Sequence[str], *languages: str) -> list[str]:
    """Through each of the languages, one after the other."""
    for language in languages:
        texts = list(_both_ways(tuple(texts), language))
    return list(texts)


@cache
def _both_ways(texts: tuple[str, ...], language: str) -> Sequence[str]:
    found: Sequence[str] = texts
    for direction in LANGUAGES[language]:
        found = by_paragraphs(found, partial(_translated, direction))
    return found


def by_paragraphs(texts: Sequence[str], translate: Callable[[str], str]) -> list[str]:
    """Each text with its paragraphs translated, of which all are handed over together.

    ``translate``: keeps the blank lines between them; ValueError where it does not.
    """
    apart = [[" ".join(each.split()) for each in _BLANK.split(text.strip())] for text in texts]
    every = [each for one in apart for each in one if each]
    done = translate("\n\n".join(every)).strip("\n").split("\n\n") if every else []
    if len(done) != len(every):
        raise ValueError("other paragraphs came back than were to be translated")
    translated = iter(done)
    return ["\n\n".join(next(translated) if each else "" for each in one) for one in apart]


def _translated(direction: str, text: str) -> str:
    command = [_PROGRAM, "-u", direction]
    octets = text.encode()
    done = subprocess.run(command, input=octets, capture_output=True, check=True, timeout=_TIMEOUT)
    return done.stdout.decode()
