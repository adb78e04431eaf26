"""A small committee that learns on as answers come: what an attack steers by.

Rule: it is no copy to be judged; it is cheap, it starts each time from what it knows, and it tells
what it holds likely and where its members differ.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.perceptron import (
    Course,
    Lesson,
    Perceptrons,
    Scale,
    Singles,
    softmax,
    train,
)

COURSE: Final = Course(hidden=(96,), steps=150, batch=64, rate=3e-3)


@dataclass(slots=True)
class Pupil:
    """Of a victim with inputs within ``low`` and ``high`` [d]."""

    low: Floats
    high: Floats
    rng: np.random.Generator
    members: int = 2
    course: Course = COURSE
    _scale: Scale | None = field(default=None, init=False)
    _members: Perceptrons | None = field(default=None, init=False)

    def learn(self, gathered: Gathered) -> None:
        """From all answers so far; half of the members from scores where there are any."""
        readings = list(gathered.targets().values())
        self._scale = self._scale or Scale.of(gathered.inputs, self.low, self.high)
        rows = np.arange(len(gathered))
        lessons = [
            Lesson(rows, readings[at % len(readings)].astype(np.float32))
            for at in range(self.members)
        ]
        inputs = self._scale(gathered.inputs)
        self._members = train(inputs, lessons, self.rng, self.course, self._members)

    def likely(self, inputs: Floats) -> Singles:
        """What each member holds likely of inputs [n, d]: [M, n, C]."""
        scale, members = self._known()
        return softmax(members.logits(scale(inputs)))

    def logits(self, inputs: Floats) -> Singles:
        scale, members = self._known()
        return members.logits(scale(inputs))

    def slope(self, inputs: Floats, of: Singles) -> Floats:
        """The slope in inputs [n, d] of what has the slopes ``of`` [M, n, C] in the logits, summed
        over members.
        """
        scale, members = self._known()
        slope = members.input_slope(scale(inputs), of).sum(axis=0)
        plain: Floats = (slope * scale.factor).astype(np.float64)
        return plain

    def _known(self) -> tuple[Scale, Perceptrons]:
        assert self._scale is not None
        assert self._members is not None
        return self._scale, self._members
