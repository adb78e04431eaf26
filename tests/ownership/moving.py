"""A thief asks an embedding model behind moves; what it is told, and what is kept of it.

Rule: it is moved by what the sidecar moves with, and kept as the vault would keep it, unsealed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import msgspec
import numpy as np

from extproc.canonical import at_once, digests
from extproc.config.marks import Marker
from extproc.config.policies import draw_root
from extproc.draw import Draw, Draws
from extproc.marks.entry import Entry
from extproc.marks.keeping import Keeping
from extproc.marks.marking import Marking
from extproc.mutators import MarkPositions, mutate
from extproc.ownership.answers import Said
from extproc.ownership.evidence import Cell, Holder
from extproc.ownership.questions import about
from extproc.prediction import Embedding
from extproc.redteam.answers import Floats
from tests.ownership.making import DAY
from tests.watermarks.world import World, bags

SECRET: Final = b"of these tests, and no secret at all"
MODEL: Final = "minilm"
STRENGTH: Final = 0.05
TEXTS: Final = 600


def world() -> World:
    return bags(2 * TEXTS)


def marks(tenant: str, cohort: str = "", epoch: int = 1, secret: bytes = SECRET) -> Draw:
    """As config/policies.py makes them."""
    key = Marker(draw_root(secret, epoch)).key(tenant, cohort)
    return key.child(b"model " + MODEL.encode())


def told(
    tenant: str,
    texts: Sequence[str],
    raw: Floats,
    share: float = 1.0,
    *,
    key: Draw | None = None,
    epoch: int = 1,
    strength: float = STRENGTH,
) -> tuple[Floats, list[Entry]]:
    """What a tenant is served for N texts of raw vectors [N, d], and what is kept of that."""
    own = key or marks(tenant, epoch=epoch)
    named = at_once(digests(texts))
    kept = at_once(Keeping(own, strength, share).kept(texts, named))
    marking = Marking({}, frozenset(), len(texts) == 1, kept=kept)
    source = replace(Draws(own, [b""]).of(0), marks=own)
    moved = partial(mutate, (MarkPositions(strength=strength),), source)
    served = []
    for number, row in enumerate(raw):
        after = marking.noting(number, (), moved)(Embedding(row))
        assert isinstance(after, Embedding)
        served.append(after.values)
    return np.array(served), [
        Entry(
            *(each.cell, DAY.isoformat(), tenant, "", "POST /v1/embeddings", MODEL, epoch),
            *(each.cell, each.stamp),
            input=msgspec.Raw(each.input),
            truth="",
            other="",
            moved=each.moved,
        )
        for each in marking.findings
    ]


def holder(tenant: str) -> Holder:
    return Holder(MODEL, "", tenant, "embeddings")


def cells(entries: Sequence[Entry]) -> list[Cell]:
    return [
        Cell(f"{at:064x}", entry.stamp, entry, about(msgspec.json.decode(bytes(entry.input))))
        for at, entry in enumerate(entries)
    ]


def said(texts: Sequence[str], vectors: Floats) -> Mapping[str, Said]:
    return {about(text).question: row for text, row in zip(texts, vectors, strict=True)}
