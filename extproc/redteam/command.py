"""``extproc redteam``: the options.

Rule: every command imports this module, so it imports nothing of the red team by itself: the others
stay quick, and do without its extra.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

UNUSABLE = 4
"""Exit code where a package that it needs is missing, as where a file is wrong."""


Attacks = Annotated[list[str], typer.Option(help="Only this attack; repeatable.")]
Victims = Annotated[list[str], typer.Option(help="Only this victim; repeatable.")]
Policies = Annotated[
    list[str],
    typer.Option(
        help="Only this policy, besides none at all: a shipped one, or FILE:NAME; repeatable."
    ),
]
Budget = Annotated[
    int | None, typer.Option(help="The most inputs to ask about.", min=1, show_default=False)
]
Seed = Annotated[list[int], typer.Option(help="Only this seed; repeatable.", min=0)]
Seeds = Annotated[int | None, typer.Option(help="How many seeds.  [default: 5, quick 3]", min=1)]
Quick = Annotated[
    bool, typer.Option("--quick", help="Few attacks with small budgets: two minutes.")
]
Target = Annotated[
    Path | None, typer.Option(help="Attack a gateway of your own, which this file describes.")
]
Goals = Annotated[
    Path | None,
    typer.Option(help="What is to hold, in place of what is claimed of the shipped policies."),
]
Directory = Annotated[
    Path,
    typer.Option(
        help="Where the report and the journal are written; a run that was broken off goes on."
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Discard the journal that is there.")]
Show = Annotated[bool, typer.Option("--list", help="List attacks, victims and policies, and exit.")]


def redteam(  # noqa: PLR0913, PLR0917 - an option each
    attack: Attacks = [],  # noqa: B006 -- typer's way to say none
    victim: Victims = [],  # noqa: B006
    policy: Policies = [],  # noqa: B006
    budget: Budget = None,
    seed: Seed = [],  # noqa: B006
    seeds: Seeds = None,
    quick: Quick = False,
    target: Target = None,
    goals: Goals = None,
    directory: Directory = Path("redteam-report"),
    fresh: Fresh = False,
    show: Show = False,
) -> int:
    """Attack a gateway as a stranger would, and say what it costs to copy the model.

    Exit codes: 0 all goals hold; 1 some do not; 2 the command was called wrongly; 3 what was to be
    attacked died, was off or ignored what it was asked; 4 a file is wrong, or a package is missing;
    5 some trials failed; 130 interrupted.
    """
    if code := _unusable():
        return code
    if show:
        return _listed()
    from extproc.redteam import aim, campaign

    asked = aim.Asked(
        attacks=tuple(attack),
        victims=tuple(victim),
        policies=tuple(policy),
        budget=budget,
        seeds=tuple(seed),
        count=seeds,
        quick=quick,
        directory=directory,
        fresh=fresh,
        target=target,
        goals=goals,
    )
    return campaign.run(asked)


def _unusable() -> int:
    """Zero where all packages are there that the red team needs."""
    try:
        import extproc.redteam.campaign  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("extproc"):
            raise
        print(
            f"extproc redteam needs {error.name}: pip install 'extproc[redteam,demo]'",
            file=sys.stderr,
        )
        return UNUSABLE
    return 0


def _listed() -> int:
    from rich.console import Console

    from extproc.redteam import catalogue

    catalogue.show(Console())
    return 0
