"""The second report: what this run shows of two standards' requirements, and what it does not.

Rule: at most what rows show.  A requirement is shown where some policy takes something from every
attack that was tried for it, in part where it does so for some, and not shown otherwise; what asks
for a detector is never shown by a budget alone.
"""

from collections.abc import Sequence
from enum import StrEnum

from extproc.redteam.report.catalogue import words
from extproc.redteam.report.document import (
    Block,
    Bullets,
    Entry,
    Page,
    Paragraph,
    Record,
    Section,
    Span,
    Table,
    Tone,
    line,
)
from extproc.redteam.report.evidence import Compared, Effect, Told, compare, told_apart
from extproc.redteam.report.model import Model, slug
from extproc.redteam.report.numerals import spread
from extproc.redteam.report.requirements import AISVS, ATLAS, Requirement, Test


class Shown(StrEnum):
    SHOWN = "shown"
    IN_PART = "in part"
    NOT_SHOWN = "not shown"


_TONES = {Shown.SHOWN: Tone.GOOD, Shown.IN_PART: Tone.UNSURE, Shown.NOT_SHOWN: Tone.BAD}
_LESS = (
    "Marked good: less than without a defence beyond doubt (the 95 % intervals are apart). "
    "Marked bad: as much, as far as this run can tell; one seed alone tells neither. A dash: not "
    "tried, or nothing came that it could be tried with."
)


def page(model: Model) -> Page:
    run = model.run
    lead = line(
        f"What a run of extproc redteam {run.version} on {run.date} shows, seen from outside. "
        "No certificate: an auditor will ask for more than an attacker can see. The numbers are "
        "explained in the ",
        Span("report", link="report.html"),
        ".",
    )
    return Page(
        "Evidence for OWASP AISVS 1.0, C11.3, and MITRE ATLAS, AML.T0024",
        (lead,),
        (
            _summary(model),
            *(_section(model, each) for each in (*AISVS, *ATLAS)),
        ),
    )


def verdict(model: Model, requirement: Requirement) -> Shown:
    """What the rows show of it."""
    if requirement.patterns:
        return Shown.IN_PART if any(each.sooner for each in told_apart(model)) else Shown.NOT_SHOWN
    if requirement.response:
        return (
            Shown.IN_PART if any(each.acted_on for each in told_apart(model)) else Shown.NOT_SHOWN
        )
    found = [each for test in requirement.tests for each in compare(model, test.evidence)]
    policies = [policy for policy in model.policies() if policy != model.run.baseline]
    complete = all(compare(model, test.evidence) for test in requirement.tests)
    if found and complete and any(_all_less(found, policy) for policy in policies):
        return Shown.SHOWN
    less = any(effect is Effect.LESS for each in found for effect in each.effects.values())
    return Shown.IN_PART if less else Shown.NOT_SHOWN


def _all_less(found: list[Compared], policy: str) -> bool:
    return all(each.effects.get(policy) is Effect.LESS for each in found)


def _summary(model: Model) -> Section:
    records = tuple(
        Record(
            (
                Entry(line(Span(each.id, link=f"#{slug(each.id)}"))),
                Entry(line(each.title)),
                Entry(line(_badge(verdict(model, each)))),
            )
        )
        for each in (*AISVS, *ATLAS)
    )
    about = (
        "Shown: some policy takes something from every attack that was tried for it. In part: from "
        "some. Not shown: from none, or nothing was measured. Whether enough is taken is no "
        "question of this table: the numbers below say how much is left."
    )
    table = Table(("Requirement", "What it is about", "This run"), records)
    return Section("summary", "Summary", (Paragraph(line(about)), table))


def _badge(shown: Shown) -> Span:
    sign = {Shown.SHOWN: "✓", Shown.IN_PART: "?", Shown.NOT_SHOWN: "✗"}[shown]
    return Span(f"{sign} {shown}", _TONES[shown])


def _section(model: Model, requirement: Requirement) -> Section:
    blocks: list[Block] = [
        Paragraph(line(Span("Asked: ", Tone.STRONG), requirement.asked)),
        Paragraph(line(Span("This run: ", Tone.STRONG), _badge(verdict(model, requirement)))),
    ]
    if requirement.patterns or requirement.response:
        blocks += _reactions(model)
    for test in requirement.tests:
        blocks += _test(model, test)
    blocks.append(Paragraph(line(Span("What is not shown:", Tone.STRONG))))
    blocks.append(Bullets(tuple(line(each) for each in requirement.not_shown)))
    return Section(slug(requirement.id), f"{requirement.id}: {requirement.title}", tuple(blocks))


def _test(model: Model, test: Test) -> list[Block]:
    found = compare(model, test.evidence)
    tried = Paragraph(line(Span("Tried: ", Tone.STRONG), test.tried))
    if not found:
        return [tried, Paragraph(line("Not measured in this run."))]
    policies = [each for each in model.policies() if any(each in one.cells for one in found)]
    records = tuple(_record(model, each, policies) for each in found)
    return [tried, Table(("Attack", "Victim", "Measure", *policies), records, _LESS)]


def _record(model: Model, each: Compared, policies: Sequence[str]) -> Record:
    about = model.catalogue.measure(each.measure, each.attack).about
    return Record(
        (
            Entry(line(words(each.attack))),
            Entry(line(each.victim)),
            Entry(line(Span(each.measure, Tone.CODE), Span(f" {about}", Tone.FAINT))),
            *(_entry(model, each, policy) for policy in policies),
        )
    )


def _entry(model: Model, each: Compared, policy: str) -> Entry:
    cell = each.cells.get(policy)
    if cell is None:
        return Entry(line(Span("–", Tone.FAINT)), number=True)
    tone = Tone.GOOD if each.effects[policy] is Effect.LESS else Tone.BAD
    if policy == model.run.baseline or each.effects[policy] is Effect.UNKNOWN:
        tone = Tone.PLAIN
    return Entry(line(Span(spread(cell.interval), tone)), number=True)


def _reactions(model: Model) -> list[Block]:
    found = list(told_apart(model))
    about = Paragraph(
        line(
            Span("Tried: ", Tone.STRONG),
            "Every copying attack of the run, and harmless traffic. Something that looks at "
            "patterns acts on an attack before it would act on harmless traffic of as many inputs.",
        )
    )
    if not found:
        return [about, Paragraph(line("Not measured in this run."))]
    columns = ("Policy", "Attacks", "Acted on", "Sooner than on harmless traffic")
    return [about, Table(columns, tuple(_reaction(each) for each in found))]


def _reaction(told: Told) -> Record:
    numbers = (told.attacks, told.acted_on, told.sooner)
    return Record(
        (
            Entry(line(told.policy)),
            *(Entry(line(f"{number:,}"), number=True) for number in numbers),
        )
    )
