"""The same text in other looks: case, blanks, punctuation, characters that are not seen, and
characters that Unicode calls compatible.

Rule: its letters and digits stay the same for whoever folds case and compatibility forms (Unicode
Standard Annex 15, NFKC), and drops what is neither letter nor digit; a reader sees one text.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

_UNSEEN: Final = "\u200b\u200c\u200d\u2060\ufeff"
"""Of no width."""
_BLANKS: Final = (" ", "\t", "\n", "\u00a0", "\u2003")
_MARKS: Final = (",", ";", ":", " -", "...", "!")
_ENDS: Final = (".", "!", "?", "...", ";", " .")
_WIDE: Final = 0xFEE0
"""From an ASCII character to its wide form."""
_BOLD: Final = (0x1D41A - ord("a"), 0x1D400 - ord("A"))
"""From ASCII letters, small and capital, to bold ones of mathematics."""
_TRIES: Final = 50


def variants(text: str, count: int, rng: np.random.Generator) -> list[str]:
    """``count`` different ones, none of them ``text`` itself; fewer, where it is too short."""
    found: dict[str, None] = {}
    for _ in range(count * _TRIES):
        if len(found) == count:
            break
        changed = _changed(text, rng)
        if changed != text:
            found[changed] = None
    return list(found)


def _changed(text: str, rng: np.random.Generator) -> str:
    """In one to three of the ways."""
    for at in rng.permutation(len(_WAYS))[: rng.integers(1, 4)]:
        text = _WAYS[at](text, rng)
    return text


def _case(text: str, rng: np.random.Generator) -> str:
    up = rng.random(len(text)) < rng.random()
    return "".join(
        character.swapcase() if each and character.isascii() else character
        for character, each in zip(text, up, strict=True)
    )


def _blanks(text: str, rng: np.random.Generator) -> str:
    return _inserted(text, _picked(_BLANKS, rng), rng, after=" ")


def _punctuation(text: str, rng: np.random.Generator) -> str:
    if rng.random() < 1 / 2:
        return text.rstrip(".!?") + _picked(_ENDS, rng)
    return _inserted(text, _picked(_MARKS, rng), rng, before=" ")


def _unseen(text: str, rng: np.random.Generator) -> str:
    return _put(text, int(rng.integers(len(text) + 1)), _picked(_UNSEEN, rng))


def _compatible(text: str, rng: np.random.Generator) -> str:
    letters = [at for at, each in enumerate(text) if each.isascii() and each.isalpha()]
    if not letters:
        return text
    at = letters[rng.integers(len(letters))]
    shift = (_WIDE, _BOLD[text[at].isupper()])[rng.integers(2)]
    return text[:at] + chr(ord(text[at]) + shift) + text[at + 1 :]


def _inserted(
    text: str, what: str, rng: np.random.Generator, *, before: str = "", after: str = ""
) -> str:
    """At one of the places before or after a character, or at the end."""
    wanted = before or after
    places = [at + bool(after) for at, each in enumerate(text) if each == wanted]
    return _put(text, [*places, len(text)][rng.integers(len(places) + 1)], what)


def _put(text: str, at: int, what: str) -> str:
    return text[:at] + what + text[at:]


def _picked(choices: tuple[str, ...] | str, rng: np.random.Generator) -> str:
    return choices[rng.integers(len(choices))]


_WAYS: Final[tuple[Callable[[str, np.random.Generator], str], ...]] = (
    _case,
    _blanks,
    _punctuation,
    _unseen,
    _compatible,
)
