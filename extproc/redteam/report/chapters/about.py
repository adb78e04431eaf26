"""What was run, and how to run it again."""

from extproc.redteam.report.document import (
    Block,
    Bullets,
    Line,
    Paragraph,
    Section,
    Span,
    Tone,
    line,
)
from extproc.redteam.report.model import Model

_READ = (
    "Agreement is with what the model says, not with the truth. Intervals are of 95 %: Student's "
    "t over the seeds of a run; of multipliers, on the logarithms, seed by seed; of shares of "
    "seeds, Clopper and Pearson's. Every policy was asked the same questions. Numbers over fewer "
    "than five seeds say so."
)


def section(model: Model) -> Section:
    run = model.run
    facts = [
        ("extproc", run.version),
        ("Date", run.date),
        ("Seeds", ", ".join(map(str, run.seeds))),
        ("Policies", ", ".join(run.policies)),
        ("Attacks, victims and policies tried", f"{len(run.plan):,}"),
        *run.facts.items(),
    ]
    blocks: list[Block] = [
        Paragraph(line(_READ)),
        Paragraph(line("Run again by ", Span(run.command, Tone.CODE), ".")),
        Bullets(tuple(line(f"{name}: ", value) for name, value in facts)),
    ]
    return Section("about", "How this was measured", tuple(blocks))


def broken(model: Model) -> Section | None:
    """Trials that gave no result: no defence, and no success either."""
    lines: list[Line] = [line(each) for each in model.run.broken]
    if model.no_numbers:
        lines.append(line(f"{model.no_numbers:,} values were no numbers, and are left out."))
    if not lines:
        return None
    about = "These gave no result, which is neither a success of the attack nor of the policy:"
    return Section("broken", "What broke", (Paragraph(line(about)), Bullets(tuple(lines))))
