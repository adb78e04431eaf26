"""Texts by the intent they have, in parts that share none: what the callers of a trial ask.

Rule: every text is in one part, so that nothing that is tried was learnt from or ranked.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from extproc.canonical import text as canonical
from tests.detection.languages import LEARNT, SHARE, UNKNOWN, translated
from tests.detection.victim import Victim

Part = Literal["reference", "ranks", "set", "tried"]
Rows = npt.NDArray[np.intp]

_CUTS: Final[dict[Part, slice]] = {
    "reference": slice(40),
    "ranks": slice(40, 70),
    "set": slice(70, 110),
    "tried": slice(110, None),
}
"""Of the 150 texts of an intent.  Who sets thresholds has as many to ask as who tries them:
lives of more texts come to more."""


@dataclass
class Pool:
    """All texts of a trial, each once; what is made of one is made once."""

    texts: list[str] = field(default_factory=list)
    _rows: dict[str, int] = field(default_factory=dict)

    def rows(self, texts: Sequence[str]) -> Rows:
        return np.array([self._row(text) for text in texts], np.intp)

    def _row(self, text: str) -> int:
        if text not in self._rows:
            self._rows[text] = len(self.texts)
            self.texts.append(text)
        return self._rows[text]


@dataclass(frozen=True)
class Corpus:
    name: str
    pool: Pool
    parts: dict[Part, list[Rows]]
    """The texts of each part, by intent."""
    domains: npt.NDArray[np.intp]
    """The domain of each intent."""
    elsewhere: Rows
    """Texts of other domains, which no part holds."""
    words: list[str]
    """Of the first part."""

    def whole(self, part: Part) -> Rows:
        """Every text of a part, intent by intent."""
        return self._laid_out[part][0]

    def some(self, part: Part, intents: Rows, rng: np.random.Generator) -> Rows:
        """A text of each of these intents by chance, with repeats; shape as theirs."""
        whole, starts, counts = self._laid_out[part]
        chosen: Rows = whole[starts[intents] + rng.integers(0, counts[intents])]
        return chosen

    @cached_property
    def abroad(self) -> dict[str, Rows]:
        """By language: where in the pool each text of a part is in it; shape (texts,)."""
        many = sum(len(rows) for of in self.parts.values() for rows in of)
        texts = self.pool.texts[:many]
        return {
            name: self.pool.rows([translated(text, name) for text in texts])
            for name in (*LEARNT, UNKNOWN)
        }

    @cached_property
    def victim(self) -> Victim:
        """The model that is asked, which has learnt every text in all languages but one."""
        learnt, others = (
            [[*self._in_all(rows)] for rows in self.parts[of]] for of in ("reference", "ranks")
        )
        return Victim(learnt, others)

    def _in_all(self, rows: Rows) -> Iterator[str]:
        for every in (rows, *(self.abroad[name][rows] for name in LEARNT)):
            yield from (self.pool.texts[row] for row in every.tolist())

    def spoken(self, rows: Rows) -> Rows:
        """These texts, and some of them in each of the languages that are learnt."""
        some = [self.abroad[name][rows[number::SHARE]] for number, name in enumerate(LEARNT)]
        return np.concatenate([rows, *some])

    @cached_property
    def _laid_out(self) -> dict[Part, tuple[Rows, Rows, Rows]]:
        found: dict[Part, tuple[Rows, Rows, Rows]] = {}
        for part, texts in self.parts.items():
            counts = np.array([len(rows) for rows in texts], np.intp)
            found[part] = np.concatenate(texts), np.cumsum(counts) - counts, counts
        return found


def corpus(
    name: str, parts: dict[Part, list[list[str]]], domains: Sequence[int], elsewhere: Sequence[str]
) -> Corpus:
    """With each text, told by its letters and digits, in the first part alone that holds it."""
    pool, seen = Pool(), set[str]()
    rows = {part: [pool.rows(_new(texts, seen)) for texts in of] for part, of in parts.items()}
    words = sorted(
        {word for texts in parts["reference"] for text in texts for word in text.split()}
    )
    return Corpus(
        name, pool, rows, np.array(domains, np.intp), pool.rows(_new(elsewhere, seen)), words
    )


def clinc(directory: Path, rng: np.random.Generator | None) -> Corpus:
    """CLINC150 (Larson et al., EMNLP 2019); elsewhere is banking77 (Casanueva et al., 2020).

    Texts of an intent are dealt out by chance; without a generator as they were gathered: then
    those that are tried are of its authors' later rounds, and a little different.
    """
    whole = json.loads((directory / "clinc_full.json").read_text())
    domains = json.loads((directory / "clinc_domains.json").read_text())
    intents = sorted(intent for of in domains.values() for intent in of)
    asked = [
        texts if rng is None else [texts[at] for at in rng.permutation(len(texts))]
        for texts in _by_intent(whole["train"] + whole["val"] + whole["test"], intents)
    ]
    parts = {part: [texts[cut] for texts in asked] for part, cut in _CUTS.items()}
    of = {intent: number for number, names in enumerate(domains.values()) for intent in names}
    with (directory / "banking_train.csv").open(encoding="utf-8", newline="") as file:
        banking = [row[0] for row in csv.reader(file)][1:]
    return corpus("CLINC150, banking77", parts, [of[intent] for intent in intents], banking)


def _by_intent(pairs: Sequence[Sequence[str]], intents: Sequence[str]) -> list[list[str]]:
    found: dict[str, list[str]] = {intent: [] for intent in intents}
    for text, intent in pairs:
        found[intent].append(text)
    return list(found.values())


def _new(texts: Sequence[str], seen: set[str]) -> list[str]:
    kept = []
    for text in texts:
        if (form := canonical(text)) not in seen:
            seen.add(form)
            kept.append(text)
    return kept
