"""What a thief has gathered: inputs, and what the victim said of them.

Rule: what was refused is left out, and what came is believed as far as it goes.  A score of zero
may be a small one or one that was withheld; what a row of scores lacks of one is left lacking, and
those who learn from it take it for the mass of its zeros together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from extproc.redteam.answers import Answers, Bools, Floats, Ints

_WHOLE = 1e-6


@dataclass(frozen=True, slots=True)
class Gathered:
    """Inputs [n, d], labels [n], and scores [n, C] that are one-hot where only a label came."""

    inputs: Floats
    labels: Ints
    scores: Floats
    scored: Bools = field(default_factory=lambda: np.zeros(0, bool))
    """[n]: of which inputs scores came."""

    @classmethod
    def nothing(cls, dimensions: int, classes: int) -> Self:
        return cls(np.zeros((0, dimensions)), np.zeros(0, np.int64), np.zeros((0, classes)))

    def __len__(self) -> int:
        return len(self.labels)

    def with_answers(self, inputs: Floats, answers: Answers) -> Self:
        """Those, and these."""
        kept = answers.served & (answers.labels >= 0)
        labels = answers.labels[kept]
        hard = np.eye(self.scores.shape[1])[labels]
        scores, scored = hard, np.zeros(len(labels), bool)
        if answers.scores is not None:
            told = np.clip(np.nan_to_num(answers.scores[kept], posinf=0, neginf=0), 0, None)
            scored = told.sum(axis=1) > 0
            scores = np.where(scored[:, None], told, hard)
        return type(self)(
            np.concatenate([self.inputs, inputs[kept]]),
            np.concatenate([self.labels, labels]),
            np.concatenate([self.scores, scores]),
            np.concatenate([self.scored, scored]),
        )

    def targets(self) -> Mapping[str, Floats]:
        """Ways to read the answers, each as [n, C]; those that would be the same stand once."""
        ways = {"labels": np.eye(self.scores.shape[1])[self.labels]}
        if self.scored.any():
            sums = self.scores.sum(axis=1, keepdims=True)
            ways["scores"] = self.scores / np.maximum(sums, 1)
            if np.any(sums < 1 - _WHOLE):
                ways["renormalised scores"] = self.scores / sums
        return ways
