"""What makes features of observations; by default, of what is known without any input."""

from collections.abc import Sequence
from typing import Protocol

from extproc.detectors.features import Features, without_inputs
from extproc.detectors.observation import Observation


class Sketcher(Protocol):
    def features(self, observations: Sequence[Observation]) -> list[Features]:
        """Of each, in their order."""
        ...


class Blind:
    """Where there is no reference to measure inputs by."""

    def features(self, observations: Sequence[Observation]) -> list[Features]:
        return [
            without_inputs(each.time, each.outcome, each.queries, each.knobs)
            for each in observations
        ]
