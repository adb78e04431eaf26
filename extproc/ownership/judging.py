"""What a suspect's answers prove: of each who was told something, whether it carries their marks.

Rule: whose marks it does not carry says the next class of a mark as often as of a control, since
what was marked was drawn by a key; how unlikely it is that marks agree so much more often is exact
(marks/statistics.py), and corrected for all who were looked at (Holm).  What is missing, or was not
answered, counts against the accusation: as a mark that does not agree, or a control that does.
Embeddings are judged by traces.py, and corrected for together with labels.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, Literal, Self

from msgspec import Struct

from extproc.marks import statistics
from extproc.marks.spaces import Laid
from extproc.ownership.answers import Answers, names
from extproc.ownership.evidence import Cell, Holder
from extproc.ownership.power import enough, needed
from extproc.ownership.traces import Looked, Texts

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


class Whose(Struct, frozen=True, kw_only=True):
    """One who was told something, and what is found of it."""

    model: str
    cohort: str
    tenant: str
    tenants: Sequence[str]
    """Who asked."""
    verdict: Verdict
    bits: float
    """log2 of the p-value: of labels exact, of embeddings proven."""
    corrected: float
    """That, for all who were looked at, of labels and embeddings together."""

    @property
    def name(self) -> str:
        return f"{Holder(self.model, self.cohort, self.tenant).name}, model {self.model}"

    @property
    def likelihood(self) -> tuple[float, float]:
        """By which the least likely by chance come first."""
        return self.corrected, self.bits


class Judged(Whose, frozen=True, kw_only=True):
    """By labels."""

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


class JudgedEmbeddings(Whose, frozen=True, kw_only=True):
    """By embeddings."""

    texts: Texts
    kept: float
    """The effect: which part of the marks' strength is found; see spaces.Trace."""
    low: float
    high: float
    """Its 95 % interval, as far as coins go."""
    laid: Laid | None
    """How the original was laid over it; None where nothing was answered."""


class Verdicts(Struct, frozen=True):
    """Of each kind, the least likely by chance first."""

    labels: Sequence[Judged]
    embeddings: Sequence[JudgedEmbeddings]


def judged(
    cells: Mapping[Holder, Sequence[Cell]],
    tenants: Mapping[Holder, Sequence[str]],
    answers: Answers,
    clean: Sequence[Answers] = (),
) -> Verdicts:
    """``clean``: what models said that are known to be independent.

    Raise ConfigError where an answer's embeddings are not of one model.
    """
    found = _results(cells, answers)
    corrected = statistics.holm([result.bits for result in found.values()])
    carried = {who for each in clean for who in carriers(cells, each)}
    level = LEVEL - math.log2(max(1, len(found)))
    labels, embeddings = [], []
    for (who, result), bits in zip(found.items(), corrected, strict=True):
        each = _Level(bits, level, who in carried)
        if isinstance(result, _Result):
            labels.append(_judged(who, tenants[who], result, each))
        else:
            embeddings.append(_judged_embeddings(who, tenants[who], result, each))
    first = attrgetter("likelihood")
    return Verdicts(sorted(labels, key=first), sorted(embeddings, key=first))


def carriers(cells: Mapping[Holder, Sequence[Cell]], answers: Answers) -> list[Holder]:
    """Those whose marks these answers carry."""
    bits = [result.bits for result in _results(cells, answers).values()]
    return [
        who
        for who, corrected in zip(cells, statistics.holm(bits), strict=True)
        if corrected <= LEVEL
    ]


def _results(
    cells: Mapping[Holder, Sequence[Cell]], answers: Answers
) -> "dict[Holder, _Result | Looked]":
    return {
        who: Looked.of(each, answers) if who.what == "embeddings" else _Result.of(each, answers)
        for who, each in cells.items()
    }


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

    @property
    def bits(self) -> float:
        return self.tail.at_least

    def enough(self, level: float) -> bool:
        return enough(self.marks.answered, self.controls.answered, level)


def _counted(cells: Sequence[Cell], answers: Answers) -> Counts:
    answered = agreeing = true = missing = 0
    for cell in cells:
        if cell.entry is None or cell.question is None:
            missing += 1
            continue
        said = names(answers.get(cell.question.question, ()))
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
        bits=result.bits,
        corrected=level.corrected,
        mid=result.tail.mid,
        marks=result.marks,
        controls=result.controls,
        effect=_share(*marks) - _share(*controls),
        low=interval.low,
        high=interval.high,
        needed=needed(level.each),
    )


def _judged_embeddings(
    who: Holder, tenants: Sequence[str], looked: Looked, level: _Level
) -> JudgedEmbeddings:
    kept, low, high = looked.kept
    return JudgedEmbeddings(
        model=who.model,
        cohort=who.cohort,
        tenant=who.tenant,
        tenants=tenants,
        verdict=_verdict(looked, level),
        bits=looked.bits,
        corrected=level.corrected,
        texts=looked.texts,
        kept=kept,
        low=low,
        high=high,
        laid=looked.trace.laid if looked.trace is not None else None,
    )


def _verdict(result: _Result | Looked, level: _Level) -> Verdict:
    if level.corrected <= LEVEL:
        return "withheld" if level.withheld else "carries the marks"
    return "no evidence" if result.enough(level.each) else "not enough marks to say"


def _share(agreeing: int, cells: int) -> float:
    return agreeing / cells if cells else 0.0
