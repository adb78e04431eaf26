"""What an exchange has paid for of what is answered privately, and what became of it.

Rule: a private answer is charged before the model is asked, so that nothing is answered privately
that was not paid for; at the end what was answered is known, and what it cost.  What was answered
about an input before is told again instead, whatever the model says now: that costs nothing, since
it tells nothing new.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from extproc.errors import UpstreamError
from extproc.prediction import Kind, Prediction, Votes
from extproc.privacy import FREE, Cost

NOBODY: Final = -1
"""What is remembered of an answer that names no class."""
_Edit = Callable[[Prediction], Prediction | None]


@dataclass(frozen=True, slots=True)
class Price:
    """Of one private answer."""

    most: Cost
    least: Cost
    """Where it names no class of votes."""


@dataclass(slots=True)
class Paid:
    """Counted as the answer is rewritten, whether all of that is sent or not."""

    prices: Mapping[Kind, Price]
    left: dict[Kind, int]
    """How many predictions may still be answered, by kind."""
    recalled: Sequence[int | None] = ()
    """By number of the input, the place of the class that was told of it before, or NOBODY; None
    where nothing was."""
    keys: Sequence[bytes] = ()
    """By number of the input, under what the answer is remembered: see Memos.  Inputs of one key
    are answered alike."""
    spent: dict[Kind, Cost] = field(default_factory=dict)
    made: dict[bytes, int] = field(default_factory=dict)
    """By key, what was told of an input now, as ``recalled``."""
    voted: set[int] = field(default_factory=set)
    """Numbers of the inputs about which votes were answered."""

    def edit(self, kind: Kind, at: int | None, edit: _Edit) -> _Edit:
        """The edit of a prediction about an input; None where it is not known which."""
        return partial(self._edited, kind, at, edit) if kind in self.prices else edit

    def _edited(
        self, kind: Kind, at: int | None, edit: _Edit, prediction: Prediction
    ) -> Prediction | None:
        told = self._before(at) if kind == "votes" else None
        if kind == "votes" and at is not None:
            self._vote(at)
        if told is not None:
            return _again(told, prediction)
        if not self.left.get(kind):
            raise UpstreamError(f"more {kind} are answered privately than was paid for")
        self.left[kind] -= 1
        after = edit(prediction)
        if after is not None:
            price, told = self.prices[kind], _told(after)
            cost = price.least if told == NOBODY else price.most
            self.spent[kind] = self.spent.get(kind, FREE) + cost
            if told is not None and at is not None and at < len(self.keys):
                self.made[self.keys[at]] = told
        return after

    def _vote(self, at: int) -> None:
        """Other votes about an input may be of another ensemble, which was not paid for."""
        if at in self.voted:
            raise UpstreamError("more votes about one input are answered than was paid for")
        self.voted.add(at)

    def _before(self, at: int | None) -> int | None:
        """What was told of an input, by an answer before or by this one."""
        if at is None:
            return None
        now = self.made.get(self.keys[at]) if at < len(self.keys) else None
        return now if now is not None or at >= len(self.recalled) else self.recalled[at]


def _told(after: Prediction) -> int | None:
    """The place of the class that votes name, or NOBODY; None of what are none."""
    if not isinstance(after, Votes):
        return None
    place = int(after.values.argmax())
    return place if after.values[place] else NOBODY


def _again(told: int, prediction: Prediction) -> Votes:
    if not isinstance(prediction, Votes) or told >= prediction.values.size:
        raise UpstreamError("the model has other classes than when it was asked before")
    values = np.zeros_like(prediction.values)
    if told != NOBODY:
        values[told] = 1
    return Votes(values)
