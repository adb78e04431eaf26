"""A paraphrase word for word: synonyms, as WordNet has them.

Rule: a word's synonyms are those of the sense that it has most often in the texts that WordNet's
makers read; words that have none there stay.  The files are WordNet's own: wndb(5WN), cntlist(5WN);
Miller, "WordNet: A Lexical Database for English", Communications of the ACM 38, 1995.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from tests.watermarks.translation import Absent

FOLDER: Final = Path("/usr/share/wordnet")
_PARTS: Final = {"1": "noun", "2": "verb", "3": "adj", "4": "adv", "5": "adj"}
_SHORTEST: Final = 4
"""Letters: shorter words WordNet takes for units and abbreviations, as ``in`` for an inch."""
_WORD: Final = re.compile(r"[^\W\d_]+")
Synonyms = Mapping[str, Sequence[str]]


def read(folder: Path = FOLDER) -> Synonyms:
    """Of each word, others of its usual sense.  Raise Absent where WordNet is not installed."""
    if not (folder / "cntlist.rev").is_file():
        raise Absent("synonyms are WordNet's: install Debian's wordnet-base")
    usual = _usual((folder / "cntlist.rev").read_text())
    found: dict[str, Sequence[str]] = {}
    for part in set(_PARTS.values()):
        synsets = (folder / f"data.{part}").read_bytes()
        for line in (folder / f"index.{part}").read_text().splitlines():
            word, *fields = line.split(" ")
            of, number = usual.get(word, ("", 0))
            # A few counts are of senses that are there no more.
            if of == part and number <= int(fields[1]):
                at = int(fields[4 + int(fields[2]) + number])
                found[word] = _others(synsets, at, word)
    return {word: others for word, others in found.items() if others}


def _usual(counted: str) -> dict[str, tuple[str, int]]:
    """Part of speech and number of the sense that was read most often, of each word."""
    most: dict[str, tuple[int, str, int]] = {}
    for line in counted.splitlines():
        sense, number, times = line.split(" ")
        word, _, rest = sense.partition("%")
        if len(word) >= _SHORTEST and int(times) > most.get(word, (0,))[0]:
            most[word] = int(times), _PARTS[rest[0]], int(number)
    return {word: (part, number) for word, (_, part, number) in most.items()}


def _others(synsets: bytes, at: int, word: str) -> list[str]:
    fields = synsets[at : synsets.index(b"\n", at)].decode().split(" ")
    words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
    plain = [each.partition("(")[0].replace("_", " ") for each in words]
    return [each for each in plain if each.islower() and each != word]


def replaced(texts: Sequence[str], known: Synonyms, share: float, seed: int) -> list[str]:
    """With a synonym for so many of the words that have one."""
    random = np.random.default_rng(seed)

    def turned(found: re.Match[str]) -> str:
        word = found.group()
        others = known.get(word.casefold())
        if not others or random.random() >= share:
            return word
        other = others[int(random.integers(len(others)))]
        return other.capitalize() if word[:1].isupper() else other

    return [_WORD.sub(turned, text) for text in texts]
