"""One process that runs trials, one at a time.

Rule: it ends with the process that started it.  A trial that raises, or takes longer than it may,
is told, and is no result.
"""

import asyncio
import os
import pickle
import traceback
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Final

from extproc.redteam import trial
from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.judge import Judge
from extproc.redteam.owner.kept import Kept
from extproc.redteam.plan import Planned
from extproc.redteam.row import Row
from extproc.redteam.vector_judge import VectorJudge
from extproc.redteam.victims.victim import Victim

LIMIT: Final = 600.0
"""Seconds that a trial may take: ten times what the longest takes where everything answers."""


class Overdue(Exception):  # noqa: N818 -- says what happened
    """A trial took longer than it may."""


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
    replicas: tuple[str, ...] = ()
    limit: float = LIMIT
    """Seconds."""
    kept: Kept | None = None
    """Of what was marked, where it is kept."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial: rows, or why there are none."""

    rows: tuple[Row, ...]
    failure: str
    """Empty where it came to its end."""
    seconds: float


_SLOW: Final = "what it attacks does not answer, or too slowly"
_known: Final[dict[str, Known]] = {}


def begin(known: str) -> None:
    """Run once in each process, before its first trial; ``known`` is the file of the victims."""
    Thread(target=_end_with_parent, daemon=True).start()
    _known.update(pickle.loads(Path(known).read_bytes()))  # noqa: S301 -- of who started this


def run(task: Task) -> Outcome:
    """Run a trial to its end."""
    began, planned = monotonic(), task.planned
    try:
        known = _known[planned.victim]
        rows = asyncio.run(_rows(task, known))
    except Overdue as error:
        return Outcome((), str(error), monotonic() - began)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is told and the run goes on
        return Outcome((), _told(error), monotonic() - began)
    return Outcome(tuple(rows), "", monotonic() - began)


async def _rows(task: Task, known: Known) -> list[Row]:
    """Raise Overdue where it takes too long."""
    limit = asyncio.timeout(task.limit)
    try:
        async with limit:
            return await trial.run(_trial(task, known.victim), known.judge)
    except TimeoutError as error:
        if limit.expired():
            raise Overdue(f"it was broken off after {task.limit:g} s: {_SLOW}") from error
        raise


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
        task.replicas,
        task.kept,
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
