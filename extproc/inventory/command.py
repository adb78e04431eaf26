"""``extproc inventory``: the report, and whether it is worse than it may be.

Exit codes as of every command (``extproc --help``): 1 where the rating is above ``--fail-above``.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

FOUND: Final = 1
"""Exit code where more is exposed than may be."""

Format = Literal["table", "markdown", "html", "json"]


def inventory(  # noqa: PLR0913, PLR0917 - an option for each size that is assumed
    policy: Annotated[Path, typer.Argument(help="The policy file.", show_default=False)],
    base: Annotated[
        Path | None,
        typer.Option(envvar="EXTPROC_BASE", help="The platform's base file.", show_default=False),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Only what this tenant has.")] = "",
    output: Annotated[Format, typer.Option(help="How the report is printed.")] = "table",
    classes: Annotated[int, typer.Option(help="Of a classifier.", min=1, max=10**7)] = 10,
    dimensions: Annotated[int, typer.Option(help="Of an embedding.", min=1, max=10**6)] = 384,
    tokens: Annotated[int, typer.Option(help="Of a text as answered.", min=1, max=10**7)] = 256,
    alternatives: Annotated[
        int, typer.Option(help="Of a token, as answered.", min=0, max=10**6)
    ] = 20,
    fail_above: Annotated[
        Literal["low", "moderate", "high", ""],
        typer.Option(help="End with 1 where the rating is above this.", show_default=False),
    ] = "",
) -> int:
    """Print what a policy exposes: per route and models, to whom, how many bits, and why."""
    from extproc.config import compile_table, load
    from extproc.inventory import as_html, as_json, as_markdown, as_table
    from extproc.inventory.report import Assumed, Rating
    from extproc.inventory.survey import survey

    config = load(policy, base)
    assumed = Assumed(classes, dimensions, tokens, alternatives)
    report = survey(config, compile_table(config), assumed, datetime.now(UTC), tenant)
    match output:
        case "table":
            as_table.show(report)
        case "markdown":
            print(as_markdown.render(report))
        case "html":
            print(as_html.render(report))
        case "json":
            print(as_json.render(report))
    return FOUND if fail_above and report.rating > Rating[fail_above.upper()] else 0
