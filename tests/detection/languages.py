"""Texts as of other languages: each letter is exchanged for one of another script, or of its own.

Rule: what detection learns of a text are runs of its letters.  To it a text whose letters are
exchanged is one of another language that says the same; no corpus of several languages is at hand.
"""

from string import ascii_lowercase
from typing import Final

_ALPHABETS: Final = {
    "Cyrillic": "абвгджзилмнпрстуфхцчшщъыэю",
    "Hebrew": "אבגדהוזחטיכלמנסעפצקרשתךםןף",
    "Latin": "ozcxtyuqsdfebjlimnhrkvgwpa",
    "Greek": "αβγδεζηθικλμνξοπρστυφχψωϡϙ",
}
LEARNT: Final = ("Cyrillic", "Hebrew", "Latin")
"""Some of the reference's queries are of these."""
UNKNOWN: Final = "Greek"
SHARE: Final = 30
"""Of so many texts one has been asked in each language that is learnt."""
_LETTERS: Final = {
    name: str.maketrans(ascii_lowercase, letters) for name, letters in _ALPHABETS.items()
}


def translated(text: str, language: str) -> str:
    return text.lower().translate(_LETTERS[language])
