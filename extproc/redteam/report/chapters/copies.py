"""What an attacker still gets: the best copy of each victim, whatever the attack."""

from collections.abc import Iterator, Mapping, Sequence

from extproc.redteam.measures.interval import Interval
from extproc.redteam.report.catalogue import LEARNING, words
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
from extproc.redteam.report.frontier import Lead, frontier, frontier_with
from extproc.redteam.report.look import looks
from extproc.redteam.report.model import Model, attack_anchor, slug
from extproc.redteam.report.numerals import spread
from extproc.redteam.report.plots import learning

DATA = ("no data", "natural inputs of another kind", "inputs like the model's own")
_LOW = "The lower the line, the better protected."
_ABOUT = (
    "The best of all attacks at each budget, and of all ways in which each was tried. The attacker "
    "is taken to know which attack is best on average. The band is the 95 % interval over seeds."
)


def section(model: Model) -> Section | None:
    victims = [each for each in model.victims() if measures_of(model, each)]
    if not victims:
        return None
    return Section(
        "copies",
        "What an attacker still gets",
        (Paragraph(line(_ABOUT)), _table(model, victims)),
        tuple(_victim(model, victim) for victim in victims),
    )


def measures_of(model: Model, victim: str) -> list[str]:
    """Of copies, that were measured of this victim."""
    return [
        measure
        for measure in LEARNING
        if any(frontier(model, victim, policy, measure) for policy in model.policies())
    ]


def _table(model: Model, victims: Sequence[str]) -> Table:
    policies = [policy for policy in model.policies() if _measured(model, victims, policy)]
    return Table(
        ("Victim", "The attacker has", *policies),
        tuple(
            Record((Entry(line(victim)), Entry(line(data)), *entries))
            for victim in victims
            for data in DATA
            if (entries := _entries(model, victim, data, policies))
        ),
        "The best copy at the largest budget: how often it says what the model says on the task's "
        "own inputs, or the cosine of its vectors with the model's; and the attack that made it.",
    )


def _measured(model: Model, victims: Sequence[str], policy: str) -> bool:
    """Attacks that copy are not tried under each policy."""
    return any(
        frontier(model, victim, policy, measure)
        for victim in victims
        for measure in measures_of(model, victim)[:1]
    )


def _entries(model: Model, victim: str, data: str, policies: Sequence[str]) -> tuple[Entry, ...]:
    measure = measures_of(model, victim)[0]
    ends = [frontier_with(model, victim, policy, measure, data)[-1:] for policy in policies]
    if not any(ends):
        return ()
    return tuple(_entry(end) for end in ends)


def _entry(end: Sequence[Lead]) -> Entry:
    if not end:
        return Entry(line(Span("–", Tone.FAINT)), number=True)
    cell = end[0].cell
    value = cell.interval.value
    tone = Tone.BAD if value >= 0.97 else Tone.UNSURE if value >= 0.9 else Tone.GOOD
    by = Span(
        f" {words(cell.key.attack)}, {end[0].budget:,}",
        Tone.FAINT,
        f"#{attack_anchor(cell.key.attack)}",
    )
    return Entry(line(Span(spread(cell.interval), tone), by), number=True)


def _victim(model: Model, victim: str) -> Section:
    about = model.run.victims.get(victim, "")
    blocks: list[Block] = [Paragraph(line(about))] if about else []
    return Section(slug(f"copies-{victim}"), victim, (*blocks, *_figures(model, victim)))


def _figures(model: Model, victim: str) -> Iterator[Figure]:
    look = looks(model.policies(), model.run.baseline)
    for measure in measures_of(model, victim):
        lines = {
            policy: points
            for policy in model.policies()
            if (points := _points(frontier(model, victim, policy, measure)))
        }
        about = model.catalogue.measure(measure).about
        name = slug(f"copies-{victim}-{measure}")
        title = f"{victim}: {model.catalogue.title(measure)}"
        svg = learning(name, title, lines, look)
        yield Figure(name, svg, f"{about.capitalize()}. {_LOW}", _told(title, lines))


def _points(leads: Sequence[Lead]) -> list[tuple[int, Interval]]:
    return [(lead.budget, lead.cell.interval) for lead in leads]


def _told(title: str, lines: Mapping[str, Sequence[tuple[int, Interval]]]) -> str:
    ends = "; ".join(
        f"{policy} {line[-1][1].value:.3f} after {line[-1][0]:,} queries"
        for policy, line in lines.items()
    )
    return f"{title}: {ends}"
