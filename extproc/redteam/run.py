"""All trials of a plan, from the first process that is started to the last that is ended.

Rule: a trial counts only where it came to its end and what it attacked was there then; whatever
else happens to it is told, and is no defence.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass

from extproc.redteam import plan
from extproc.redteam.attack import Attack
from extproc.redteam.client import Client
from extproc.redteam.ground import Ground
from extproc.redteam.journal import Entry, Journal
from extproc.redteam.judges import judge_of
from extproc.redteam.owner.kept import Kept
from extproc.redteam.plan import Planned
from extproc.redteam.preflight import NAME as PREFLIGHT
from extproc.redteam.preflight import answers, preflight
from extproc.redteam.progress import Progress
from extproc.redteam.row import Row
from extproc.redteam.victims.victim import Victim
from extproc.redteam.worker import LIMIT, Known, Outcome, Task
from extproc.redteam.workers import WIDTH, Workers, workers


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to."""

    rows: list[Row]
    """Of the preflight, then in the order of the plan."""
    failed: dict[str, str]
    """Why a trial has none, by its name."""


@dataclass(frozen=True, slots=True)
class Run:
    """A plan, where it takes place, and where what it measures is kept."""

    trials: Sequence[Planned]
    attacks: Mapping[str, Attack]
    victims: Mapping[str, Victim]
    ground: AbstractAsyncContextManager[Ground]
    journal: Journal
    progress: Progress
    limit: float = LIMIT
    """Seconds that a trial may take."""

    async def run(self) -> Result:
        """Run all trials that the journal does not have.

        Raise ValueError where a file cannot be used, ProcessDied where a process of the range dies,
        Unattackable where there is nothing to measure.
        """
        left = [trial for trial in self.trials if trial.name not in self.journal.entries]
        failed: dict[str, str] = {}
        self.progress.begin(left, len(self.trials) - len(left))
        if left:
            self.progress.phase("starting what is attacked")
            async with self.ground as ground:
                failed = await self._run(left, ground)
        return Result(self._rows(), failed)

    async def _run(self, left: Sequence[Planned], ground: Ground) -> dict[str, str]:
        self.progress.phase("looking at it")
        tried = {(trial.victim, trial.policy) for trial in self.trials}
        looked = await preflight(self.victims, ground.bare, ground.doors(), ground.bare_keys, tried)
        if PREFLIGHT not in self.journal.entries:
            self.journal.add(Entry(trial=PREFLIGHT, seconds=0, rows=tuple(looked)))
        async with Client(ground.bare, ground.bare_keys) as client:
            known = {
                name: Known(victim, await judge_of(victim, client))
                for name, victim in self.victims.items()
            }
        failed: dict[str, str] = {}
        async with workers(known) as crew:
            for alone in (False, True):
                those = [trial for trial in left if self.attacks[trial.attack].alone is alone]
                tasks = [self._task(trial, ground) for trial in those]
                failed |= await self._all(crew, tasks, 1 if alone else WIDTH)
        return failed

    async def _all(self, crew: Workers, tasks: Sequence[Task], width: int) -> dict[str, str]:
        failed: dict[str, str] = {}
        async with aclosing(crew.run(tasks, width)) as outcomes:
            async for task, outcome in outcomes:
                name = task.planned.name
                if outcome.failure:
                    failed[name] = outcome.failure
                else:
                    await self._keep(task, outcome)
                self.progress.done(task.planned, outcome)
        return failed

    async def _keep(self, task: Task, outcome: Outcome) -> None:
        """A victim that is gone refuses everything, which must not count."""
        for url in task.replicas or (task.url,):
            async with Client(url) as client:
                await answers(client)
        entry = Entry(trial=task.planned.name, seconds=outcome.seconds, rows=outcome.rows)
        self.journal.add(entry)

    def _task(self, trial: Planned, ground: Ground) -> Task:
        place = ground.places[trial.policy]
        keys = plan.keys(trial, self.attacks[trial.attack], place.issued)
        public = ground.public or ground.bare
        parallel, replicas = place.parallel, place.replicas
        others = tuple(map(trial.bystander, range(self.attacks[trial.attack].bystanders)))
        kept = Kept(place.folders, trial.party, others) if place.folders else None
        return Task(trial, place.url, public, keys, parallel, replicas, self.limit, kept)

    def _rows(self) -> list[Row]:
        """From the journal, which this run has added to."""
        entries = self.journal.entries
        names = [PREFLIGHT, *(trial.name for trial in self.trials)]
        return [row for name in names if name in entries for row in entries[name].rows]
