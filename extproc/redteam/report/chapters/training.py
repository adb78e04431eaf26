"""What training is declared to promise each record, and what answers prove of it."""

from extproc.redteam.report.document import (
    Entry,
    Paragraph,
    Record,
    Section,
    Span,
    Table,
    Tone,
    line,
)
from extproc.redteam.report.numerals import number
from extproc.redteam.report.promises import Promised
from extproc.redteam.report.verdicts import Verdicts

_ABOUT = (
    "Declared is what the operator says of training (training_privacy of a route), or of answers, "
    "where votes alone are told, privately (a budget of the policy); nobody here has checked it. "
    "Proven is the least epsilon that the answers are consistent with, with 95 % confidence and "
    "any seed, by how many guesses of who was trained on were right (Steinke, Nasr and "
    "Jagielski, 2023). More than declared is a promise broken; less is no proof that it is kept: "
    "another attacker may prove more."
)


def section(verdicts: Verdicts) -> Section | None:
    if not verdicts.promises:
        return None
    table = Table(
        ("Victim", "Policy", "Declared", "Guesses right", "Epsilon, proven at least", "So"),
        tuple(_record(each) for each in verdicts.promises),
    )
    return Section("training", "What training promises", (Paragraph(line(_ABOUT)), table))


def _record(each: Promised) -> Record:
    key, stated = each.right.key, each.declared
    declared = (
        Span("nothing", Tone.FAINT)
        if stated is None
        else Span(f"epsilon {stated.epsilon:g}, delta {stated.delta:g}")
    )
    right, made = (number(round(cell.interval.value)) for cell in (each.right, each.made))
    return Record(
        (
            Entry(line(key.victim)),
            Entry(line(key.policy)),
            Entry(line(declared)),
            Entry(line(f"{right} of {made}"), number=True),
            Entry(line(f"{each.proven:.2f}"), number=True),
            Entry(line(_so(each))),
        )
    )


def _so(each: Promised) -> Span:
    if each.declared is None:
        return Span("nothing was promised", Tone.FAINT)
    return Span("broken", Tone.BAD) if each.broken else Span("not shown to be broken")
