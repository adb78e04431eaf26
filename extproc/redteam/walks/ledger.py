"""All that was asked and answered so far.

Rule: answers that were refused are kept out of what is learned from, and still count as asked.
"""

from dataclasses import dataclass, field

import numpy as np

from extproc.redteam.answers import Answers, Floats, Ints
from extproc.redteam.oracle import Classifier


@dataclass(slots=True)
class Ledger:
    """Asks, and writes down."""

    oracle: Classifier
    asked: int = 0
    _inputs: list[Floats] = field(default_factory=list)
    _labels: list[Ints] = field(default_factory=list)

    async def labels(self, inputs: Floats) -> Ints:
        """Of inputs [N, d], -1 where one was refused; raise BudgetSpent where N are not left."""
        answers: Answers = await self.oracle.ask(inputs)
        self.asked += len(inputs)
        labels = np.where(answers.served, answers.labels, -1)
        self._inputs.append(inputs[labels >= 0])
        self._labels.append(labels[labels >= 0])
        return labels

    @property
    def inputs(self) -> Floats:
        """Those that were answered [N, d]."""
        return np.concatenate(self._inputs)

    @property
    def answered(self) -> Ints:
        """Their labels [N]."""
        return np.concatenate(self._labels)
