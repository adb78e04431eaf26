"""How many bits an answer tells, under each policy."""

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
from extproc.redteam.report.model import Cell, Model
from extproc.redteam.report.numerals import spread

MEASURES = ("bits.entropy", "bits.distinct", "bits.grid")
_ABOUT = (
    "Of one answer to an input of the task. Entropy: what such answers told. Different ones: the "
    "logarithm of how many came. Grid: the logarithm of how many could come, which no question "
    "gets past. It bounds what is learnt from the API; who has data of the same kind "
    "needs few of them."
)


def section(model: Model) -> Section | None:
    records = tuple(
        _record(model, victim, measure)
        for victim in model.victims(MEASURES[0])
        for measure in MEASURES
    )
    if not records:
        return None
    table = Table(("Victim", "Bits", *model.policies()), records)
    return Section("information", "Information per query", (Paragraph(line(_ABOUT)), table))


def _record(model: Model, victim: str, measure: str) -> Record:
    about = model.catalogue.measure(measure).about
    return Record(
        (
            Entry(line(victim)),
            Entry(line(about)),
            *(
                _entry(next(model.find(victim=victim, policy=policy, measure=measure), None))
                for policy in model.policies()
            ),
        )
    )


def _entry(cell: Cell | None) -> Entry:
    text = Span("–", Tone.FAINT) if cell is None else Span(spread(cell.interval))
    return Entry(line(text), number=True)
