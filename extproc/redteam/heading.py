"""What stands at the head of a report: all that a reader needs to run it again."""

import platform
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from extproc.redteam.aim import Aim
from extproc.redteam.declaration import declared, promised
from extproc.redteam.policy_choice import BASELINE
from extproc.redteam.report.header import Planned, Prices, Run
from extproc.redteam.run import Result

PRICES: Final = Prices(per_thousand_queries=1.5)
"""Of the shipped victims: what cloud providers list for a classification of an image, 2026."""


def heading(aimed: Aim, result: Result, arguments: Sequence[str], *, whole: bool) -> Run:
    """Of a run that has come to its end; ``arguments`` are those of ``extproc``."""
    trials = aimed.trials
    files = aimed.files if aimed.target is None else ()
    return Run(
        version=_version(),
        date=datetime.now(UTC).date().isoformat(),
        command=shlex.join(["extproc", *arguments]),
        seeds=tuple(sorted({trial.seed for trial in trials})),
        policies=aimed.policies,
        plan=tuple(
            dict.fromkeys(
                Planned(trial.attack, trial.victim, trial.policy, max(trial.budgets))
                for trial in trials
            )
        ),
        victims={name: victim.about for name, victim in aimed.victims.items()},
        training_privacy=declared(files, aimed.victims),
        private_answers=promised(files, aimed.policies),
        facts={"Python": platform.python_version(), "numpy": version("numpy")},
        prices=_prices(aimed),
        whole=whole,
        broken=tuple(f"{name}: {why}" for name, why in result.failed.items()),
        baseline=BASELINE,
    )


def _version() -> str:
    """It runs from a source tree as well, where there is none."""
    try:
        return version("extproc")
    except PackageNotFoundError:
        return "not installed"


def _prices(aimed: Aim) -> Prices:
    if aimed.target is None:
        return PRICES
    price = aimed.target.file.prices
    return Prices(
        per_thousand_queries=price.per_thousand_queries,
        per_key=price.per_key,
        currency=price.currency,
    )
