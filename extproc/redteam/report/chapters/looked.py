"""What was looked at before anything was measured: whether there was something to measure."""

from collections.abc import Iterator

from extproc.redteam.preflight import NAME
from extproc.redteam.report.document import (
    Entry,
    Paragraph,
    Record,
    Section,
    Table,
    line,
)
from extproc.redteam.report.model import Key, Model

_COLUMNS = {
    "policy.serves": "Harmless questions answered",
    "policy.changes": "Answers changed",
    "policy.other_labels": "Labels changed",
}
_ABOUT = (
    "No attack: a few harmless questions to each policy and to the model itself, with a key, with "
    "none and with a wrong one. A policy that changes no answer protects nothing; one that refuses "
    "these, or gives other labels, costs those who mean well."
)


def section(model: Model) -> Section | None:
    if not model.victims("policy.serves"):
        return None
    table = Table(
        ("Victim", "Policies", *_COLUMNS.values()),
        tuple(
            record
            for victim in model.victims("policy.serves")
            for record in _records(model, victim)
        ),
        "A dash: answers differ each time that the same is asked, or the model itself is not there "
        "to compare with.",
    )
    return Section("looked", "What was looked at first", (Paragraph(line(_ABOUT)), table))


def _records(model: Model, victim: str) -> Iterator[Record]:
    """Policies that came out alike, together."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for policy in model.policies():
        found = [model.cells.get(Key(NAME, victim, policy, measure, 0)) for measure in _COLUMNS]
        if any(found):
            told = tuple(f"{cell.interval.value:.0%}" if cell else "–" for cell in found)
            alike.setdefault(told, []).append(policy)
    for told, policies in alike.items():
        numbers = (Entry(line(text), number=True) for text in told)
        yield Record((Entry(line(victim)), Entry(line(", ".join(policies))), *numbers))
