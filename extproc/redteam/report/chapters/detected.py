"""How soon thieves are told from those who mean well, and how many of these are taken for one.

Rule: false alarms have Clopper and Pearson's limit over the customers of all seeds, since none
among a few is not none.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from extproc.redteam.attack import Family
from extproc.redteam.measures.interval import at_most
from extproc.redteam.report.chapters.attacks import of_family
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
from extproc.redteam.report.numerals import number, spread
from extproc.redteam.report.verdicts import Verdicts

LOWERED, REFUSED, IN_FULL = "before_lowered", "before_refused", "in_full"
CUSTOMERS, ALARMS = "customers", "false_alarms"
COPIES: Final = ("agreement.task", "cosine")
"""Of a classifier; of an embedding model."""
_ABOUT = (
    "Each thief asks one input after another, unless it says otherwise, and so do those who mean "
    "well beside it: all of it within seconds, at one pace, so that neither is told by when it "
    "asks. Who is suspected is answered with less, and then with nothing."
)
_THIEVES = (
    "Means over seeds, of inputs. A copy is as good as what its thief was answered in all lets it "
    "be; beside it, what it is under the policies where nobody is watched."
)
_TAKEN = "Of all seeds; at most: with 95 % confidence (Clopper and Pearson, one-sided)."


class _Place(NamedTuple):
    victim: str
    thief: str
    policy: str


def section(model: Model, verdicts: Verdicts) -> Section | None:
    """None where nothing of it was measured."""
    places = list(_places(model))
    if not places:
        return None
    return Section(
        "detection",
        "How soon a thief is told from a customer",
        (
            Paragraph(line(_ABOUT)),
            _thieves(model, places),
            _customers(model),
            *of_family(model, verdicts, Family.DETECTION),
        ),
    )


def _places(model: Model) -> Iterator[_Place]:
    """By thief, in the order of the policies."""
    found = {
        _Place(key.victim, thief, key.policy)
        for key, thief in model.strategies
        if key.measure == IN_FULL and model.catalogue.family(key.attack) is Family.DETECTION
    }
    order = model.policies().index
    yield from sorted(found, key=lambda place: (*place[:2], order(place.policy)))


def _cell(model: Model, place: _Place, measure: str) -> Cell | None:
    """At the largest budget."""
    cells = [
        cell
        for (key, thief), cell in model.strategies.items()
        if (key.victim, thief, key.policy, key.measure) == (*place, measure)
        and model.catalogue.family(key.attack) is Family.DETECTION
    ]
    return max(cells, key=lambda cell: cell.key.budget, default=None)


def _thieves(model: Model, places: list[_Place]) -> Table:
    return Table(
        (
            *("Victim", "The thief asks about", "Policy", "In full before less"),
            *("Answered before a refusal", "In full in all", "Its copy"),
        ),
        tuple(_thief(model, place) for place in places),
        _THIEVES,
    )


def _thief(model: Model, place: _Place) -> Record:
    seeds = _cell(model, place, IN_FULL)
    assert seeds is not None
    acted = (_after(_cell(model, place, each), len(seeds.rows)) for each in (LOWERED, REFUSED))
    copies = [copy for each in COPIES if (copy := _cell(model, place, each)) is not None]
    worth = spread(copies[0].interval) if copies else "–"
    return Record(
        (
            *(Entry(line(each)) for each in place),
            *acted,
            Entry(line(number(round(seeds.interval.value, 1))), number=True),
            Entry(line(worth), number=True),
        )
    )


def _after(cell: Cell | None, seeds: int) -> Entry:
    """With how many of the seeds it happened under, where these were not all."""
    if cell is None:
        return Entry(line(Span("never", Tone.FAINT)), number=True)
    part = f" ({len(cell.rows)} of {seeds} seeds)" if len(cell.rows) < seeds else ""
    return Entry(line(f"{number(round(cell.interval.value, 1))}{part}"), number=True)


def _customers(model: Model) -> Table:
    found = [
        cell
        for cell in model.cells.values()
        if cell.key.measure == ALARMS
        and model.catalogue.family(cell.key.attack) is Family.DETECTION
    ]
    order = model.policies().index
    found.sort(key=lambda cell: (cell.key.victim, order(cell.key.policy)))
    return Table(
        ("Victim", "Policy", "Customers", "Taken for thieves", "At most", "Which"),
        tuple(_taken(model, cell) for cell in found),
        _TAKEN,
    )


def _taken(model: Model, cell: Cell) -> Record:
    counted = model.cells[cell.key._replace(measure=CUSTOMERS)]
    count = round(sum(row.value for row in counted.rows.values()))
    taken = round(sum(row.value for row in cell.rows.values()))
    which = ", ".join(row.note for row in cell.rows.values() if row.note)
    return Record(
        (
            Entry(line(cell.key.victim)),
            Entry(line(cell.key.policy)),
            Entry(line(number(count)), number=True),
            Entry(line(number(taken)), number=True),
            Entry(line(f"{at_most(taken, count):.1%}"), number=True),
            Entry(line(which or "–")),
        )
    )
