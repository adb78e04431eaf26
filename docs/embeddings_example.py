"""Have ``extproc ownership`` look at a copy of an embedding model, for the outputs of ownership.md.

Usage: ``python docs/embeddings_example.py COMMAND...``; see ownership_example.py.  acme and globex
asked about 800 texts each, of which all were committed to; acme fitted a copy to what it was told,
on top of the public model that the owner's was made from.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import msgspec
import numpy as np
from numpy.typing import NDArray
from ownership_example import START, keep, run

from extproc.canonical import at_once, digests
from extproc.draw import Draw, Draws
from extproc.marks.entry import Entry
from extproc.marks.keeping import Keeping
from extproc.marks.marking import Finding, Marking
from extproc.mutators import MarkPositions, mutate
from extproc.prediction import Embedding
from extproc.redteam.surrogates import ridge

PUBLIC, OWN, ASKED = 192, 128, 800
STRENGTH = 0.03
WORDS = [f"{one}{two}" for one in ("ba", "du", "ki", "lo", "mi") for two in "bcdfglmnprstvz"]
Vectors = NDArray[np.float64]


def texts(chance: Random) -> list[str]:
    return [" ".join(chance.choices(WORDS, k=8)) for _ in range(ASKED)]


def public(asked: list[str]) -> Vectors:
    """Bags of words."""
    rng = np.random.default_rng(1)
    words = dict(zip(WORDS, rng.normal(size=(len(WORDS), PUBLIC)), strict=True))
    return np.array([sum(words[word] for word in text.split()) for text in asked])


def own(asked: list[str]) -> Vectors:
    """A head on the public model."""
    vectors = public(asked) @ np.random.default_rng(2).normal(size=(PUBLIC, OWN))
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def told(tenant: str, asked: list[str]) -> tuple[Vectors, list[Entry]]:
    """What it is served, and what is kept of that."""
    marks = Draw(tenant.encode().ljust(32))
    kept = at_once(Keeping(marks, STRENGTH, 1.0).kept(asked, at_once(digests(asked))))
    marking = Marking({}, frozenset(), single=False, kept=kept)
    source = replace(Draws(marks, [b""]).of(0), marks=marks)
    moved = partial(mutate, (MarkPositions(strength=STRENGTH),), source)
    served = []
    for number, row in enumerate(own(asked)):
        after = marking.noting(number, (), moved)(Embedding(row))
        assert isinstance(after, Embedding)
        served.append(after.values)
    return np.array(served), [
        entry(tenant, number, each) for number, each in enumerate(marking.findings)
    ]


def entry(tenant: str, number: int, found: Finding) -> Entry:
    return Entry(
        salt=found.cell,
        time=(START + timedelta(hours=number)).isoformat(),
        tenant=tenant,
        cohort="",
        route="POST /v1/embeddings",
        model="search",
        epoch=1,
        cell=found.cell,
        stamp="embedding",
        input=msgspec.Raw(found.input),
        truth="",
        other="",
        moved=found.moved,
    )


def write(folder: Path) -> None:
    """The log, the vault, the keys, and what two suspects said."""
    chance = Random(3)
    thiefs, others = texts(chance), texts(chance)
    served, entries = told("acme", thiefs)
    every = [*entries, *told("globex", others)[1]]
    keep(folder, sorted(every, key=lambda each: each.time))
    copy = ridge.chosen(public(thiefs), served)
    asked = thiefs + others
    for name, vectors in {"suspect": copy(public(asked)), "clean": public(asked)}.items():
        lines = (
            msgspec.json.encode({"input": text, "embedding": row}) + b"\n"
            for text, row in zip(asked, vectors.tolist(), strict=True)
        )
        (folder / f"{name}.jsonl").write_bytes(b"".join(lines))


if __name__ == "__main__":
    run(write)
