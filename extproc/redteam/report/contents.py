"""The report, chapter by chapter."""

from collections.abc import Iterator

from extproc.redteam.report.chapters import (
    about,
    attacks,
    claims,
    copies,
    detected,
    harm,
    information,
    looked,
    noticed,
    ownership,
    prices,
    training,
)
from extproc.redteam.report.document import Page, Section, Span, Tone, line
from extproc.redteam.report.model import Model
from extproc.redteam.report.verdicts import Verdicts


def page(model: Model, verdicts: Verdicts) -> Page:
    run = model.run
    size = f"{len(run.seeds)} seeds" if len(run.seeds) != 1 else "one seed"
    policies = f"{len(run.policies)} policies" if len(run.policies) != 1 else "one policy"
    kind = "" if run.whole else " A part of all attacks and budgets, for a quick answer."
    return Page(
        "What an attacker still gets",
        (
            line(
                "Measured by ",
                Span("extproc redteam", Tone.CODE),
                f" {run.version} on {run.date}, over HTTP as a stranger would, under {policies} "
                f"with {size}.{kind}",
            ),
            claims.tally(verdicts),
        ),
        tuple(section for section in _sections(model, verdicts) if section is not None),
    )


def _sections(model: Model, verdicts: Verdicts) -> Iterator[Section | None]:
    yield claims.claimed(model, verdicts)
    yield claims.not_stopped(model, verdicts)
    yield about.broken(model)
    yield copies.section(model)
    yield prices.section(model)
    yield noticed.section(model)
    yield detected.section(model, verdicts)
    yield ownership.section(model, verdicts)
    yield harm.section(model, verdicts)
    yield information.section(model)
    yield training.section(verdicts)
    yield attacks.section(model, verdicts)
    yield looked.section(model)
    yield about.section(model)
