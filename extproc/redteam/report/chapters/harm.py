"""What the protection costs those who mean well.

Rule: shares of refusals have Clopper and Pearson's interval over all that was asked under all
seeds, since none at all in a few tries is not none.
"""

from collections.abc import Iterator
from typing import Final

from extproc.redteam.attack import Family
from extproc.redteam.measures.interval import Interval, of_share
from extproc.redteam.report.chapters.attacks import of_family
from extproc.redteam.report.chapters.copies import measures_of
from extproc.redteam.report.chapters.information import MEASURES as BITS
from extproc.redteam.report.document import (
    Block,
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
from extproc.redteam.report.frontier import frontier
from extproc.redteam.report.look import looks
from extproc.redteam.report.model import Cell, Model, slug
from extproc.redteam.report.plots import trade
from extproc.redteam.report.verdicts import Verdicts

USE: Final = (
    ("utility", "accuracy", "answers that are right"),
    ("utility-retrieval", "recall_at_10", "nearest texts kept"),
)
"""What an answer is good for: the control and its measure, and how the axis calls it."""
BLOCKS: Final = "false_blocks."
ASKED: Final = "asked."
"""Before the name of a habit."""
_ABOUT = (
    "Nobody here attacks: users with monitoring probes, batches, evaluations and retries, beside "
    "an attack and alone. What they are refused, and what is left of the answers' use."
)
_POOLED = (
    "Refused, of all that was asked under all seeds; in brackets, the most that it can be with "
    "97.5 % confidence (Clopper and Pearson). Without a bracket, how much was asked is not known."
)
_READ = (
    "One wants to be to the right, where answers are of use, and low, where copies are bad; lines "
    "are 95 % intervals."
)


def section(model: Model, verdicts: Verdicts) -> Section | None:
    blocks = of_family(model, verdicts, Family.CONTROL, _told_elsewhere)
    if not blocks:
        return None
    figures: list[Block] = [
        figure for victim in model.victims() if (figure := _figure(model, victim)) is not None
    ]
    text = Paragraph(line(_ABOUT))
    return Section(
        "harm", "What it costs those who mean well", (text, *figures, *_blocked(model), *blocks)
    )


def _told_elsewhere(measure: str) -> bool:
    return measure in BITS or measure.startswith((BLOCKS, ASKED))


def _blocked(model: Model) -> Iterator[Table]:
    """A row for each victim and habit."""
    places = sorted(
        {
            (key.attack, key.victim, key.measure)
            for key in model.cells
            if key.measure.startswith(BLOCKS) and not model.catalogue.is_attack(key.attack)
        }
    )
    if not places:
        return
    yield Table(
        ("Victim", "Refused", *model.policies()),
        tuple(_habit(model, *place) for place in places),
        _POOLED,
    )


def _habit(model: Model, attack: str, victim: str, measure: str) -> Record:
    entries = []
    for policy in model.policies():
        cell = next(model.find(attack=attack, victim=victim, policy=policy, measure=measure), None)
        entries.append(
            Entry(
                line(Span("–", Tone.FAINT) if cell is None else _refused(model, cell)), number=True
            )
        )
    about = model.catalogue.measure(measure, attack).about
    return Record((Entry(line(victim)), Entry(line(about)), *entries))


def _refused(model: Model, cell: Cell) -> str:
    share = pooled(model, cell)
    if share is None:
        return f"{cell.interval.value:.1%}"
    return f"{share.value * share.count:,.0f} of {share.count:,} (≤ {share.high:.1%})"


def pooled(model: Model, cell: Cell) -> Interval | None:
    """Over all seeds; None where it is not known how much was asked."""
    kind = cell.key.measure.removeprefix(BLOCKS)
    asked = model.cells.get(cell.key._replace(measure=ASKED + kind))
    if asked is None or asked.rows.keys() != cell.rows.keys():
        return None
    counts = {seed: round(row.value) for seed, row in asked.rows.items()}
    hits = sum(round(row.value * counts[seed]) for seed, row in cell.rows.items())
    total = sum(counts.values())
    return of_share(hits, total) if total else None


def _figure(model: Model, victim: str) -> Figure | None:
    """How much use is left, against how good the best copy is."""
    use, copied = utility(model, victim), measures_of(model, victim)[:1]
    if use is None or not copied:
        return None
    attack, measure, called = use
    points: dict[str, tuple[Interval, Interval]] = {}
    for policy in model.policies():
        used = list(model.find(attack=attack, victim=victim, policy=policy, measure=measure))
        leads = frontier(model, victim, policy, copied[0])
        if used and leads:
            points[policy] = (used[-1].interval, leads[-1].cell.interval)
    if len(points) < 2:
        return None
    name, title = slug(f"trade-{victim}"), f"{victim}: use against protection"
    ends = (called, f"best copy:\n{model.catalogue.title(copied[0])}")
    told = "; ".join(
        f"{policy}: {used.value:.3f} and {copy.value:.3f}"
        for policy, (used, copy) in points.items()
    )
    svg = trade(name, title, points, looks(model.policies(), model.run.baseline), ends)
    return Figure(name, svg, _READ, f"{title}: {told}")


def utility(model: Model, victim: str) -> tuple[str, str, str] | None:
    """The one of `USE` that was measured of this victim."""
    measured = {(key.attack, key.measure) for key in model.cells if key.victim == victim}
    return next((use for use in USE if use[:2] in measured), None)
