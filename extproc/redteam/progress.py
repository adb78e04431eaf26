"""How far a run is, and how long it will still take.

Rule: what is left is told from what trials of the same attack took in this run, and else from what
all of them took a question.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from extproc.redteam.plan import Planned
from extproc.redteam.worker import Outcome

EVERY: Final = 10.0
"""Seconds between two lines where the output is no terminal."""
_FIXED: Final = 300
"""Questions that the beginning of a trial takes as long as."""
_GUESS: Final = 0.0005
"""Seconds a question, while nothing has been measured."""


@dataclass(slots=True)
class Estimate:
    """Of the seconds that trials take, from those that were run."""

    spent: dict[str, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0]))
    """Seconds, and questions, by attack."""

    def learn(self, trial: Planned, seconds: float) -> None:
        of_it = self.spent[trial.attack]
        of_it[0] += seconds
        of_it[1] += _size(trial)

    def seconds(self, trials: Iterable[Planned]) -> float:
        """Of work; so many processes do it in so much less time."""
        return sum(self._rate(trial.attack) * _size(trial) for trial in trials)

    def _rate(self, attack: str) -> float:
        known = [self.spent[attack]] if attack in self.spent else list(self.spent.values())
        questions = sum(each[1] for each in known)
        return sum(each[0] for each in known) / questions if questions else _GUESS


def _size(trial: Planned) -> float:
    return trial.budgets[-1] + _FIXED


class Progress:
    """One line that is written anew on a terminal, and a line now and then elsewhere."""

    def __init__(self, console: Console, width: int, *, live: bool | None = None) -> None:
        self._console, self._width = console, width
        self._left: dict[str, Planned] = {}
        self._total = self._done = self._failed = 0
        self._estimate = Estimate()
        self._last = monotonic()
        self._live = (
            Live(console=console, transient=True, refresh_per_second=4)
            if (console.is_terminal if live is None else live)
            else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def begin(self, left: Iterable[Planned], done: int) -> None:
        """``done`` trials were run before."""
        self._left = {trial.name: trial for trial in left}
        self._done, self._total = done, done + len(self._left)
        if done:
            self._console.print(f"{done} of {self._total} trials are in the journal")

    def phase(self, text: str) -> None:
        """What is done before or after the trials."""
        if self._live:
            self._live.update(Text(text))
        else:
            self._console.print(text)

    def done(self, trial: Planned, outcome: Outcome) -> None:
        del self._left[trial.name]
        self._done += 1
        self._estimate.learn(trial, outcome.seconds)
        if outcome.failure:
            self._failed += 1
            self._console.print(f"failed: {trial.name}: {outcome.failure}", style="red")
        self._show(trial)

    def _show(self, trial: Planned) -> None:
        if self._live:
            self._live.update(Text(self.line(trial)))
        elif not self._left or monotonic() - self._last >= EVERY:
            self._last = monotonic()
            self._console.print(self.line(trial), highlight=False)

    def line(self, trial: Planned) -> str:
        left = self._estimate.seconds(self._left.values()) / self._width
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{self._done}/{self._total}{failed}, {_time(left)} left; last: {trial.name}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
