"""What had been served before the gateway did anything about it."""

from collections.abc import Sequence

from extproc.redteam.report.catalogue import words
from extproc.redteam.report.document import (
    Entry,
    Figure,
    Paragraph,
    Record,
    Section,
    Span,
    Table,
    Tone,
    line,
)
from extproc.redteam.report.look import looks
from extproc.redteam.report.model import Cell, Model
from extproc.redteam.report.numerals import number
from extproc.redteam.report.plots import Noticed, timeline

REFUSAL = "served_before_refusal"
CHANGE = "served_before_change"
SHARE = "refused.share"
_ABOUT = (
    "How many inputs had been answered when the first was refused, or the first was answered with "
    "less. What acts are limits, budgets and, under policies with detection, suspicion."
)

_NOTHING = (
    "No policy of this run refused or lowered anything of what the attacks asked, but for what the "
    "model's own server refuses too: none of them has a limit or a budget that they reached. "
    "Beyond these nothing here detects an attack."
)

_Place = tuple[str, str]


def section(model: Model) -> Section | None:
    places = _places(model)
    if not places:
        text = Paragraph(line(_NOTHING))
        return Section("noticed", "When it is noticed", (text,)) if _tried(model) else None
    rows = [(_label(place), _row(model, place)) for place in places]
    look = looks(model.policies(), model.run.baseline)
    title = "Inputs answered before the first refusal or change"
    figure = Figure(
        "noticed",
        timeline("noticed", title, rows, look),
        "A row an attack: further left was noticed sooner, an open arrow never. Attacks that no "
        "policy did anything about are left out, and so are those whose malformed requests the "
        "model's own server refuses too.",
        f"{title}, for each attack and policy; the table below has the numbers",
    )
    return Section(
        "noticed",
        "When it is noticed",
        (Paragraph(line(_ABOUT)), figure, _table(model, places)),
    )


def _places(model: Model) -> list[_Place]:
    """Attacks and victims of which some policy refused or changed something.

    Not those that are refused without a defence too: what they ask is malformed, which is no sign
    that anybody was noticed.
    """
    acted: dict[_Place, set[str]] = {}
    for key in model.cells:
        if key.measure in {REFUSAL, CHANGE} and model.catalogue.is_attack(key.attack):
            acted.setdefault((key.attack, key.victim), set()).add(key.policy)
    return sorted(place for place, under in acted.items() if model.run.baseline not in under)


def _tried(model: Model) -> bool:
    """Whether any policy could have done something."""
    return any(
        key.measure == SHARE and key.policy != model.run.baseline
        for key in model.cells
        if model.catalogue.is_attack(key.attack)
    )


def _label(place: _Place) -> str:
    return f"{words(place[0])} on {place[1]}"


def _cell(model: Model, place: _Place, policy: str, measure: str) -> Cell | None:
    found = model.find(attack=place[0], victim=place[1], policy=policy, measure=measure)
    return next(found, None)


def _row(model: Model, place: _Place) -> dict[str, Noticed]:
    row: dict[str, Noticed] = {}
    for policy in model.policies():
        share = _cell(model, place, policy, SHARE)
        if share is None:
            continue
        seen = [_cell(model, place, policy, measure) for measure in (REFUSAL, CHANGE)]
        values = [cell.interval.value for cell in seen if cell is not None]
        row[policy] = Noticed(min(values, default=None), share.mean("queries"))
    return row


def _table(model: Model, places: Sequence[_Place]) -> Table:
    return Table(
        ("Attack", "Policy", "Before a refusal", "Before a change", "Answered", "Refused"),
        tuple(
            record
            for place in places
            for policy in model.policies()
            if (record := _record(model, place, policy)) is not None
        ),
        "Means over seeds, of inputs. Without a number: not once.",
    )


def _record(model: Model, place: _Place, policy: str) -> Record | None:
    share = _cell(model, place, policy, SHARE)
    if share is None:
        return None
    refusal, change = (_cell(model, place, policy, measure) for measure in (REFUSAL, CHANGE))
    return Record(
        (
            Entry(line(_label(place))),
            Entry(line(policy)),
            _seeds(refusal, len(share.rows)),
            _seeds(change, len(share.rows)),
            Entry(line(number(round(share.mean("queries")))), number=True),
            Entry(line(f"{share.interval.value:.1%}"), number=True),
        )
    )


def _seeds(cell: Cell | None, seeds: int) -> Entry:
    """With how many of the seeds it happened under, where these were not all."""
    if cell is None:
        return Entry(line(Span("never", Tone.FAINT)), number=True)
    part = f" ({len(cell.rows)} of {seeds} seeds)" if len(cell.rows) < seeds else ""
    return Entry(line(f"{number(round(cell.interval.value))}{part}"), number=True)
