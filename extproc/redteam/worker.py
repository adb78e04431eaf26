"""One process that runs trials, one at a time.

Rule: it ends with the process that started it, and leaves Ctrl-C to that one.  A trial that raises
is told, and is no result.
"""

import asyncio
import os
import signal
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Final

from extproc.redteam import trial
from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.judge import Judge
from extproc.redteam.plan import Planned
from extproc.redteam.row import Row
from extproc.redteam.vector_judge import VectorJudge
from extproc.redteam.victims.victim import Victim


@dataclass(frozen=True, slots=True)
class Known:
    """A victim, and who judges copies of it."""

    victim: Victim
    judge: Judge | VectorJudge | None


@dataclass(frozen=True, slots=True)
class Task:
    """A trial, and where it takes place."""

    planned: Planned
    url: str
    public: str
    keys: tuple[str, ...]
    parallel: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial: rows, or why there are none."""

    rows: tuple[Row, ...]
    failure: str
    """Empty where it came to its end."""
    seconds: float


_known: Final[dict[str, Known]] = {}


def begin(known: Mapping[str, Known]) -> None:
    """Run once in each process, before its first trial."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    _known.update(known)


def run(task: Task) -> Outcome:
    """Run a trial to its end."""
    began, planned = monotonic(), task.planned
    try:
        known = _known[planned.victim]
        rows = asyncio.run(trial.run(_trial(task, known.victim), known.judge))
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is told and the run goes on
        return Outcome((), _told(error), monotonic() - began)
    return Outcome(tuple(rows), "", monotonic() - began)


def _trial(task: Task, victim: Victim) -> trial.Trial:
    planned = task.planned
    return trial.Trial(
        ATTACKS[planned.attack],
        victim,
        planned.policy,
        planned.seed,
        planned.budgets,
        task.url,
        task.public,
        task.keys,
        task.parallel,
    )


def _told(error: Exception) -> str:
    """What and where, in one line: the innermost line of the red team's own code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "redteam" in Path(frame.filename).parts] or frames
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "nowhere"
    said = str(error).strip().splitlines()
    return f"{type(error).__name__} at {place}" + (f": {said[0]}" if said else "")


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
