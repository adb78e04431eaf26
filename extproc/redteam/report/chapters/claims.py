"""Which claims hold, by how much; and what is not stopped."""

from extproc.redteam.attack import Measure
from extproc.redteam.goals import Goal, Place
from extproc.redteam.measures.reach import Bound, Multiplier
from extproc.redteam.report.catalogue import words
from extproc.redteam.report.document import (
    Entry,
    Line,
    Paragraph,
    Record,
    Section,
    Span,
    Table,
    Tone,
    line,
)
from extproc.redteam.report.model import Cell, Model
from extproc.redteam.report.numerals import number, spread, times
from extproc.redteam.report.verdicts import Judged, Shown, Verdict, Verdicts

_TONES = {
    Verdict.HELD: Tone.GOOD,
    Verdict.NOT_HELD: Tone.BAD,
    Verdict.UNDECIDED: Tone.UNSURE,
    Verdict.NOT_MEASURED: Tone.FAINT,
}
_SIGNS = {
    Verdict.HELD: "✓",
    Verdict.NOT_HELD: "✗",
    Verdict.UNDECIDED: "?",
    Verdict.NOT_MEASURED: "–",
}
"""For whoever does not see the colours."""


def tally(verdicts: Verdicts) -> Line:
    """How many claims hold, in a sentence."""
    held, total = verdicts.count(Verdict.HELD), len(verdicts.judged)
    if not total:
        return line("There are no goals: nothing is claimed, and nothing is judged.")
    others = [
        f"{verdicts.count(verdict)} {verdict}"
        for verdict in (Verdict.NOT_HELD, Verdict.UNDECIDED, Verdict.NOT_MEASURED)
        if verdicts.count(verdict)
    ]
    rest = f" The others: {', '.join(others)}." if others else ""
    tone = Tone.GOOD if verdicts.passed else Tone.BAD
    return line(Span(f"{held} of {total} claims held.", tone), rest)


def claimed(model: Model, verdicts: Verdicts) -> Section | None:
    """The claims, those that are not held first."""
    if not verdicts.judged:
        return None
    order = [Verdict.NOT_HELD, Verdict.UNDECIDED, Verdict.NOT_MEASURED, Verdict.HELD]
    judged = sorted(verdicts.judged, key=lambda each: order.index(each.verdict))
    about = (
        "A claim is held where the whole 95 % interval is on its side of the bound. Undecided "
        "counts as not held. What this run was not meant to measure does not count."
    )
    table = Table(
        ("Claim", "Verdict", "Measured", "Bound", "Margin", "Where"),
        tuple(_record(model, each) for each in judged),
    )
    return Section("claims", "Claims", (Paragraph(line(about)), table))


def not_stopped(model: Model, verdicts: Verdicts) -> Section | None:
    """What the policies do not stop."""
    if not verdicts.shown:
        return None
    about = "Whoever relies on these policies should know that they do not stop this:"
    table = Table(
        ("What is not stopped", "Measured", "Where"),
        tuple(_shown(model, each) for each in verdicts.shown),
    )
    return Section("not-stopped", "What is not stopped", (Paragraph(line(about)), table))


def bound(goal: Goal) -> str:
    """What a goal asks, in words."""
    if goal.at_most is not None:
        return f"at most {number(goal.at_most)}"
    if goal.at_least is not None:
        return f"at least {number(goal.at_least)}"
    wanted = goal.relative
    assert wanted is not None
    least = wanted.times_at_least
    factor = f"at least {least:g}×" if least is not None else f"at most {wanted.times_at_most:g}×"
    if wanted.level is None:
        return f"{factor} that of {wanted.to}"
    return f"{factor} the queries of {wanted.to} until {wanted.level:.0%}"


def where(place: Place, measure: Measure, cell: Cell | None) -> Line:
    """Which number is meant, in words; linked to it where it was measured."""
    attack = place.attack or (cell.key.attack if cell else "any attack")
    budget = place.budget if place.budget is not None else (cell.key.budget if cell else 0)
    asked = f", {budget:,} queries" if budget else ""
    text = f"{words(attack)} on {place.victim}, policy {place.policy}: {measure.about}{asked}"
    return line(Span(text, Tone.FAINT, f"#{cell.key.anchor}" if cell else ""))


def _record(model: Model, each: Judged) -> Record:
    goal = each.goal
    measure = model.catalogue.measure(goal.measure, goal.attack)
    verdict = Span(f"{_SIGNS[each.verdict]} {each.verdict}", _TONES[each.verdict])
    ignored = "" if each.counts else " (not part of this run)"
    return Record(
        (
            Entry(line(goal.claim)),
            Entry(line(verdict, ignored)),
            Entry(line(_measured(each)), number=True),
            Entry(line(bound(goal)), number=True),
            Entry(line(_margin(each)), number=True),
            Entry(where(goal, measure, each.cell)),
        ),
        f"claim-{goal.id}",
    )


def _measured(each: Judged) -> str:
    if each.measured is None:
        return "–"
    if each.goal.relative is None:
        return spread(each.measured)
    return times(Multiplier(each.bound, each.measured))


def _margin(each: Judged) -> str:
    if each.margin is None:
        return "–"
    unit = "×" if each.goal.relative else ""
    sign = "≥ " if each.bound is Bound.AT_LEAST else ""
    return f"{sign}{'+' if each.margin >= 0 else '-'}{number(abs(each.margin))}{unit}"


def _shown(model: Model, each: Shown) -> Record:
    measured = "not measured in this run" if each.cell is None else spread(each.cell.interval)
    measure = model.catalogue.measure(each.entry.measure, each.entry.attack)
    return Record(
        (
            Entry(line(Span(each.entry.statement, Tone.STRONG))),
            Entry(line(measured), number=True),
            Entry(where(each.entry, measure, each.cell)),
        ),
        f"open-{each.entry.id}",
    )
