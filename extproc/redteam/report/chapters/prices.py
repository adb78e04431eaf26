"""What a copy costs under each policy, and how many times what it costs without a defence."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from extproc.redteam.measures.reach import LEVELS, Bound, Multiplier
from extproc.redteam.report.costs import Cost, cost, times
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
from extproc.redteam.report.look import looks
from extproc.redteam.report.model import Model, slug
from extproc.redteam.report.numerals import duration, price, queries
from extproc.redteam.report.numerals import times as told
from extproc.redteam.report.plots import multipliers

MEASURES = ("agreement.task", "agreement.uniform", "cosine")
_ABOUT = (
    "Queries until the best copy of any attack is so good, per seed, and how many times that is "
    "what it takes without a defence, on the same questions. Where a copy was never so good, "
    "what was tried is a lower bound (>, ≥, an arrow); where it was from its first checkpoint, an "
    "upper one. In the plots a mark is the geometric mean over seeds, and a line its 95 % interval."
)


def section(model: Model) -> Section | None:
    parts = tuple(part for measure in MEASURES if (part := _part(model, measure)) is not None)
    if not parts:
        return None
    return Section("prices", "What a copy costs", (Paragraph(line(_ABOUT)),), parts)


def _part(model: Model, measure: str) -> Section | None:
    costs = [
        found
        for victim in model.victims(measure)
        for policy in model.policies()
        for level in LEVELS
        if (found := cost(model, victim, policy, measure, level)) is not None
    ]
    if not costs:
        return None
    blocks: list[Block] = [
        figure for level in LEVELS if (figure := _figure(model, measure, level, costs))
    ]
    blocks.append(_table(model, costs))
    about = model.catalogue.measure(measure).about
    return Section(
        slug(f"prices-{measure}"), f"By {model.catalogue.title(measure)}: {about}", tuple(blocks)
    )


def _times(model: Model, each: Cost, costs: Sequence[Cost]) -> Multiplier | None:
    """None for the baseline itself, and where that was not measured."""
    if each.policy == model.run.baseline:
        return None
    for other in costs:
        if (other.victim, other.policy, other.level) == (
            each.victim,
            model.run.baseline,
            each.level,
        ):
            return times(each, other)
    return None


def _figure(model: Model, measure: str, level: float, costs: Sequence[Cost]) -> Figure | None:
    bars = [
        (each.victim, each.policy, found)
        for each in costs
        if each.level == level
        and (found := _times(model, each, costs)) is not None
        and found.bound is not Bound.OPEN
    ]
    if not bars:
        return None
    name = slug(f"prices-{measure}-{level:.0%}")
    title = f"Queries until {model.catalogue.title(measure)} is {level:.0%}"
    look = looks(model.policies(), model.run.baseline)
    alt = "; ".join(f"{victim} {policy} {told(found)}" for victim, policy, found in bars)
    return Figure(
        name,
        multipliers(name, title, bars, look),
        "Further right costs the attacker more.",
        f"{title}: {alt}",
    )


def _table(model: Model, costs: Sequence[Cost]) -> Table:
    priced = model.run.prices.known
    money = ("Money",) if priced else ()
    return Table(
        ("Victim", "Until", "Policy", "Queries", "Multiplier", "Seeds", "Keys", *money, "Time"),
        tuple(
            record
            for _, group in groupby(sorted(costs, key=_aim), _aim)
            for record in _records(model, list(group), len(money))
        ),
        "Time is that of this machine, with as many requests under way as the attack wants.",
    )


def _aim(each: Cost) -> tuple[str, float]:
    return each.victim, each.level


def _records(model: Model, costs: Sequence[Cost], money: int) -> Iterator[Record]:
    """One alone where no copy got there under any policy: there is nothing to compare."""
    if any(reach.reached for each in costs for reach in each.seeds.values()):
        yield from (_record(model, each, costs) for each in costs)
        return
    most = max(reach.queries for each in costs for reach in each.seeds.values())
    seeds = max(len(each.seeds) for each in costs)
    texts = [f"> {most:,.0f}", "–", f"0 of {seeds}", *["–"] * (2 + money)]
    yield Record(
        (
            Entry(line(costs[0].victim)),
            Entry(line(f"{costs[0].level:.0%}"), number=True),
            Entry(line(Span("never, under any", Tone.FAINT))),
            *(Entry(line(text), number=True) for text in texts),
        )
    )


def _record(model: Model, each: Cost, costs: Sequence[Cost]) -> Record:
    found = _times(model, each, costs)
    prices = model.run.prices
    open_ended = "> " if each.bound is Bound.AT_LEAST else ""
    money = f"{open_ended}{prices.currency}{price(prices.cost(each.served, each.keys))}"
    hits = sum(reach.reached for reach in each.seeds.values())
    tone = Tone.FAINT if each.policy == model.run.baseline else Tone.PLAIN
    texts = [
        queries(each.bound, each.queries),
        "–" if found is None else told(found),
        f"{hits} of {len(each.seeds)}",
        f"{each.keys:,}",
        *([money] if prices.known else []),
        f"{open_ended}{duration(each.seconds)}",
    ]
    return Record(
        (
            Entry(line(each.victim)),
            Entry(line(f"{each.level:.0%}"), number=True),
            Entry(line(Span(each.policy, tone))),
            *(Entry(line(text), number=True) for text in texts),
        )
    )
