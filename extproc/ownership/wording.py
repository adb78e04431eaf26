"""What a report says, in words: the same in a terminal and on a page."""

from extproc.ownership.judging import Counts, Judged, JudgedEmbeddings
from extproc.ownership.report import Report

_SMALLEST = -1000.0
"""In bits; about the least that a float holds."""


def plain(text: str) -> str:
    """What a terminal does nothing at: a caller names the model that he asks for."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def chance(bits: float) -> str:
    """A p-value."""
    if bits > -1.0:
        return f"{2.0**bits:.2f}"
    decimal = f" ({2.0**bits:.1g})" if bits > _SMALLEST else ""
    return f"2^{bits:.1f}{decimal}"


def agreeing(counts: Counts) -> str:
    share = counts.agreeing / counts.cells if counts.cells else 0.0
    return f"{counts.agreeing} of {counts.cells} ({share:.0%})"


def effect(judged: Judged) -> str:
    return f"{judged.effect:+.0%} ({judged.low:+.0%} to {judged.high:+.0%})"


def answered(judged: JudgedEmbeddings) -> str:
    return f"{judged.texts.answered} of {judged.texts.texts}"


def kept(judged: JudgedEmbeddings) -> str:
    return f"{judged.kept:+.1%} ({judged.low:+.1%} to {judged.high:+.1%})"


def verdict(report: Report) -> str:
    """The whole in a sentence."""
    found = report.found
    if found:
        whose = "; ".join(plain(each.name) for each in found)
        return (
            f"It carries the marks of {whose}. By chance a model that has learnt nothing of those"
            f" answers would look so with a probability of {chance(found[-1].corrected)}."
        )
    if any(each.verdict == "withheld" for each in report.every):
        return "No verdict: clean models carry the same marks, so that they mark nothing."
    if any(each.verdict == "no evidence" for each in report.every):
        return "No evidence that it is a copy of what was answered to any of those looked at."
    return "There are not enough marks to say whether it is a copy."


def silence(report: Report) -> str:
    """What counted against the accusation; empty where nothing did."""
    missing = sum(each.marks.missing + each.controls.missing for each in report.judged)
    missing += sum(each.texts.missing for each in report.embeddings)
    unanswered = report.suspect.questions - report.suspect.answered
    said = [
        f"{missing} entries are committed to and not in the vault" if missing else "",
        f"{unanswered} questions were not answered" if unanswered else "",
    ]
    told = ", ".join(filter(None, said))
    return f"{told}: each counts against the accusation." if told else ""
