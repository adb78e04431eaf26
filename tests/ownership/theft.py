"""A thief asks a classifier of digits behind marks; what it is told, and what is kept of it.

Rule: it is marked by what the sidecar marks with, and kept as the vault would keep it, unsealed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from extproc.canonical import at_once
from extproc.config.marks import Marker
from extproc.demo.server.models import digits as models
from extproc.draw import Draw
from extproc.marks.entry import Entry
from extproc.marks.stamps import name
from extproc.mutators import Mark
from extproc.ownership.answers import Answers
from extproc.ownership.evidence import Cell, Holder
from extproc.ownership.questions import about
from extproc.redteam.answers import Floats, Ints
from extproc.redteam.laundering.labels import Labels
from extproc.redteam.victims import digits
from extproc.redteam.victims.victim import ClassifierVictim

RATE: Final = 0.005


@dataclass(frozen=True, slots=True)
class Told:
    """One of those who asked."""

    who: Holder
    inputs: Floats
    labels: Ints
    """As they were served."""
    truth: Ints
    cells: Sequence[Cell]
    rows: Mapping[str, Floats]
    """What each question is about."""


def victim() -> ClassifierVictim:
    return digits.regression()


def scores(inputs: Floats) -> Floats:
    """What the victim says."""
    return _MODEL.score(inputs).probabilities


_MODEL: Final = models.regression()


def told(tenant: str, inputs: Floats, key: bytes) -> Told:
    """What a tenant is told of inputs [N, d] under a key."""
    rows = inputs.tolist()
    marks = Marker(Draw(key)).of(tenant, "")(Mark(rate=RATE))
    marking = at_once(marks.marking("digits", [[["image", row]] for row in rows]))
    order = np.argsort(-scores(inputs), axis=1, kind="stable")
    truth, other = order[:, 0], order[:, 1]
    labels = truth.copy()
    cells: dict[str, Cell] = {}
    asked = {}
    for number, stamped in marking.stamped.items():
        if stamped.stamp == "mark":
            labels[number] = other[number]
        cell = name(stamped.cell)
        if cell not in cells:
            question = about([["image", rows[number]]])
            asked[question.question] = inputs[number]
            entry = Entry(
                *("", "", tenant, "", "infer", "digits", 1, cell, stamped.stamp),
                input=msgspec.Raw(stamped.input),
                truth=int(truth[number]),
                other=int(other[number]),
            )
            cells[cell] = Cell(cell, stamped.stamp, entry, question)
    who = Holder("digits", "", tenant)
    return Told(who, inputs, labels, truth, list(cells.values()), asked)


def said(copy: Labels, everybody: Sequence[Told]) -> Answers:
    """What a copy says of all questions."""
    rows = {question: row for each in everybody for question, row in each.rows.items()}
    labels = copy(np.array(list(rows.values())))
    return {question: (str(int(at)),) for question, at in zip(rows, labels, strict=True)}
