"""Every attack by itself: its paper, what it needs, and what it found."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from extproc.redteam.attack import Family
from extproc.redteam.preflight import NAME as PREFLIGHT
from extproc.redteam.report.catalogue import words
from extproc.redteam.report.chapters.noticed import CHANGE, REFUSAL, SHARE
from extproc.redteam.report.document import (
    Block,
    Bullets,
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
from extproc.redteam.report.model import Cell, Key, Model, attack_anchor, slug
from extproc.redteam.report.numerals import spread
from extproc.redteam.report.verdicts import Verdicts

TREATMENT = {REFUSAL, CHANGE, SHARE}
"""Measures of every attack; the chapter of when it is noticed has them."""
APART: Final = (Family.CONTROL, Family.DETECTION, Family.OWNERSHIP)
"""Families that have chapters of their own."""
NAMING: Final = (Family.LANGUAGE, Family.CHANNEL, Family.ABUSE)
"""Families whose findings say in words what was found."""
_LONGEST: Final = 280
"""Characters of one finding; all of it stands with the rows."""
_Place = Key
"""Without its policy."""
_ABOUT = (
    "Each at its largest budget, in its best way, with the 95 % interval over seeds. All budgets "
    "and ways stand in the JSON report."
)


def section(model: Model, verdicts: Verdicts) -> Section | None:
    """The attacks that are after something; controls have a chapter of their own."""
    families = [family for family in Family if family not in APART]
    parts = [_family(model, verdicts, family, family.capitalize()) for family in families]
    parts.append(_family(model, verdicts, None, "Others"))
    found = tuple(part for part in parts if part is not None)
    return (
        Section("attacks", "Attack by attack", (Paragraph(line(_ABOUT)),), found) if found else None
    )


def of_family(
    model: Model,
    verdicts: Verdicts,
    family: Family | None,
    without: Callable[[str], bool] = TREATMENT.__contains__,
) -> tuple[Block, ...]:
    """All attacks of a family, but for measures that are told elsewhere."""
    cited = verdicts.cited()
    return tuple(
        block
        for attack in sorted(model.by_attack)
        if model.catalogue.family(attack) is family and attack != PREFLIGHT
        for block in _attack(model, attack, cited, without)
    )


def _family(model: Model, verdicts: Verdicts, family: Family | None, title: str) -> Section | None:
    blocks = of_family(model, verdicts, family)
    return Section(slug(f"family-{title}"), title, blocks) if blocks else None


def _attack(
    model: Model, attack: str, cited: AbstractSet[Key], without: Callable[[str], bool]
) -> Iterator[Block]:
    cells = model.by_attack[attack]
    policies = [p for p in model.policies() if any(cell.key.policy == p for cell in cells)]
    places = [place for place in _places(cells, cited) if not without(place.measure)]
    if not places:
        return
    known = model.catalogue.attacks.get(attack)
    about = f" — {known.paper}. Needs: {', '.join(known.needs)}." if known else ""
    yield Paragraph(line(Span(words(attack).capitalize(), Tone.STRONG), about))
    budgets = ("Budget",) if any(place.budget for place in places) else ()
    yield Table(
        ("Victim", "Measure", *budgets, *policies),
        tuple(_record(model, place, policies, told=bool(budgets)) for place in places),
        anchor=attack_anchor(attack),
    )
    if found := tuple(_found(model, attack, places)):
        yield Paragraph(line("What was found, by name:"))
        yield Bullets(found)


def _found(model: Model, attack: str, places: Sequence[_Place]) -> Iterator[Line]:
    """What findings say in words; policies of which they say the same, together."""
    if model.catalogue.family(attack) not in NAMING:
        return
    for place in places:
        cells = [model.cells.get(place._replace(policy=policy)) for policy in model.policies()]
        noted: dict[str, list[str]] = {}
        for cell in cells:
            if cell and cell.interval.value and (note := _note(cell)):
                noted.setdefault(note, []).append(cell.key.policy)
        for note, policies in noted.items():
            about = model.catalogue.measure(place.measure, attack).about
            head = f"{place.victim} under {', '.join(policies)}, {about}: "
            yield line(Span(head, Tone.FAINT), _shortened(note))


def _note(cell: Cell) -> str:
    """Of the first seed that has one."""
    return next((row.note for row in cell.rows.values() if row.note), "")


def _shortened(note: str) -> str:
    if len(note) <= _LONGEST:
        return note
    return f"{note[:_LONGEST].rpartition(' ')[0]} … (all of it: rows.jsonl)"


def _places(cells: Sequence[Cell], cited: AbstractSet[Key]) -> list[_Place]:
    """The largest budget of each measure, and what else is cited."""
    largest: dict[tuple[str, str], Key] = {}
    for cell in cells:
        if cell.key.measure not in TREATMENT:
            largest[cell.key.victim, cell.key.measure] = cell.key
    keys = [*largest.values(), *(cell.key for cell in cells if cell.key in cited)]
    return sorted({key._replace(policy="") for key in keys})


def _record(model: Model, place: _Place, policies: Sequence[str], *, told: bool) -> Record:
    about = model.catalogue.measure(place.measure, place.attack)
    budget = Entry(line(f"{place.budget:,}" if place.budget else "–"), number=True)
    return Record(
        (
            Entry(line(place.victim)),
            Entry(line(Span(place.measure, Tone.CODE), Span(f" {about.about}", Tone.FAINT))),
            *([budget] if told else []),
            *(
                _entry(model.cells.get(place._replace(policy=policy)), about.unit)
                for policy in policies
            ),
        )
    )


def _entry(cell: Cell | None, unit: str) -> Entry:
    if cell is None:
        return Entry(line(Span("–", Tone.FAINT)), number=True)
    way = Span(f" {cell.strategy}" if cell.strategy else "", Tone.FAINT)
    return Entry(line(spread(cell.interval, unit), way), cell.key.anchor, number=True)
