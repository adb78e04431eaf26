"""What a suspect's answers prove: of each who was told something, whether it carries their marks.

Rule: whose marks it does not carry says the next class of a mark as often as of a control, since
what was marked was drawn by a key; how unlikely it is that marks agree so much more often is exact
(marks/statistics.py), and corrected for all who were looked at (Holm).  What is missing, or was not
answered, counts against the accusation: as a mark that does not agree, or a control that does.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

from msgspec import Struct

from extproc.marks import statistics
from extproc.ownership.answers import Answers
from extproc.ownership.evidence import Cell, Holder
from extproc.ownership.power import enough, needed

LEVEL: Final = -32.0
"""In bits: nobody is accused where chance does as much in one of four billion cases."""
Verdict = Literal["carries the marks", "no evidence", "not enough marks to say", "withheld"]
"""``withheld``: a clean model carries them too, so that they mark nothing."""


class Counts(Struct, frozen=True):
    """Of marks, or of controls."""

    cells: int
    """That count."""
    answered: int
    agreeing: int
    """Of which the suspect says the next class, not the likeliest."""
    true: int
    """Of which it says what the model says."""
    missing: int
    """Committed to, and not in the vault."""


class Judged(Struct, frozen=True, kw_only=True):
    """One who was told something."""

    model: str
    cohort: str
    tenant: str
    tenants: Sequence[str]
    """Who asked."""
    verdict: Verdict
    bits: float
    """log2 of the exact p-value."""
    corrected: float
    """That, for all who were looked at."""
    mid: float
    """The mid-p, which is nearly uniform where nothing is marked, and decides nothing."""
    marks: Counts
    controls: Counts
    effect: float
    """By how much the share of agreeing marks exceeds that of controls, as it is counted."""
    low: float
    high: float
    """Its 95 % interval."""
    needed: int
    """Marks that are enough, with the usual number of controls."""

    @property
    def name(self) -> str:
        return f"{Holder(self.model, self.cohort, self.tenant).name}, model {self.model}"


def judged(
    cells: Mapping[Holder, Sequence[Cell]],
    tenants: Mapping[Holder, Sequence[str]],
    answers: Answers,
    clean: Sequence[Answers] = (),
) -> list[Judged]:
    """The least likely by chance first.  ``clean``: what models said that are known to be
    independent.
    """
    found = {who: _Result.of(each, answers) for who, each in cells.items()}
    corrected = statistics.holm([result.tail.at_least for result in found.values()])
    carried = {who for each in clean for who in carriers(cells, each)}
    level = LEVEL - math.log2(max(1, len(found)))
    every = [
        _judged(who, tenants[who], result, _Level(bits, level, who in carried))
        for (who, result), bits in zip(found.items(), corrected, strict=True)
    ]
    return sorted(every, key=lambda each: (each.corrected, each.bits))


def carriers(cells: Mapping[Holder, Sequence[Cell]], answers: Answers) -> list[Holder]:
    """Those whose marks these answers carry."""
    bits = [_Result.of(each, answers).tail.at_least for each in cells.values()]
    return [
        who
        for who, corrected in zip(cells, statistics.holm(bits), strict=True)
        if corrected <= LEVEL
    ]


@dataclass(frozen=True, slots=True)
class _Level:
    corrected: float
    """In bits."""
    each: float
    """What the test of one has to reach, before it is corrected."""
    withheld: bool


@dataclass(frozen=True, slots=True)
class _Result:
    marks: Counts
    controls: Counts

    @classmethod
    def of(cls, cells: Sequence[Cell], answers: Answers) -> Self:
        marks = [cell for cell in cells if cell.stamp == "mark"]
        controls = [cell for cell in cells if cell.stamp == "control"]
        return cls(_counted(marks, answers), _counted(controls, answers))

    @property
    def against(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """What is missing counts against the accusation: (agreeing, all) of each."""
        marks, controls = self.marks, self.controls
        silent = controls.cells - controls.answered
        return (marks.agreeing, marks.cells), (controls.agreeing + silent, controls.cells)

    @property
    def tail(self) -> statistics.Tail:
        return statistics.two_sample(*self.against)


def _counted(cells: Sequence[Cell], answers: Answers) -> Counts:
    answered = agreeing = true = missing = 0
    for cell in cells:
        if cell.entry is None or cell.question is None:
            missing += 1
            continue
        said = answers.get(cell.question.question, ())
        answered += bool(said)
        agreeing += str(cell.entry.other) in said
        true += str(cell.entry.truth) in said
    return Counts(len(cells), answered, agreeing, true, missing)


def _judged(who: Holder, tenants: Sequence[str], result: _Result, level: _Level) -> Judged:
    marks, controls = result.against
    interval = statistics.difference(marks, controls)
    return Judged(
        model=who.model,
        cohort=who.cohort,
        tenant=who.tenant,
        tenants=tenants,
        verdict=_verdict(result, level),
        bits=result.tail.at_least,
        corrected=level.corrected,
        mid=result.tail.mid,
        marks=result.marks,
        controls=result.controls,
        effect=_share(*marks) - _share(*controls),
        low=interval.low,
        high=interval.high,
        needed=needed(level.each),
    )


def _verdict(result: _Result, level: _Level) -> Verdict:
    if level.corrected <= LEVEL:
        return "withheld" if level.withheld else "carries the marks"
    if enough(result.marks.answered, result.controls.answered, level.each):
        return "no evidence"
    return "not enough marks to say"


def _share(agreeing: int, cells: int) -> float:
    return agreeing / cells if cells else 0.0
