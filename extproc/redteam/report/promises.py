"""What operators promise records, of training or of answers, beside what is proven of membership.

Rule: an attack may show that a promise is broken, never that it is kept.  What it proves is the
least that it proves with any seed: seeds ask about the same records of the same model, so that none
of them may be chosen for being lucky.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from extproc.redteam.measures.privacy_bound import of_guesses
from extproc.redteam.report.header import Privacy
from extproc.redteam.report.model import Cell, Key, Model

ATTACKS: Final = ("membership", "membership-votes")
RIGHT: Final = "guesses.right"
MADE: Final = "guesses.made"
RECORDS: Final = "guesses.records"
USUAL: Final = 1e-5
"""Delta of what is proven where none is declared."""


@dataclass(frozen=True, slots=True)
class Promised:
    """Of one victim under one policy."""

    right: Cell
    made: Cell
    declared: Privacy | None
    """What answers are promised under the policy, else what is declared of training."""
    proven: float
    """Epsilon at least, at the declared delta."""
    of: str = "training is declared"
    """What it is that is declared."""

    @property
    def broken(self) -> bool:
        return self.declared is not None and self.proven > self.declared.epsilon

    @property
    def sentence(self) -> str:
        """What is told of one that is broken."""
        assert self.declared is not None
        key = self.right.key
        return (
            f"{key.victim} under {key.policy}: {self.of} to have epsilon "
            f"{self.declared.epsilon:g}, and answers prove {self.proven:.2f} at least"
        )


def promised(model: Model) -> Iterator[Promised]:
    """Of all victims whose members were guessed, in the order of the report."""
    for victim in model.victims(RIGHT):
        for attack, policy in product(ATTACKS, model.policies()):
            cells = [
                model.cells.get(Key(attack, victim, policy, measure, 0))
                for measure in (RIGHT, MADE, RECORDS)
            ]
            right, made, records = cells
            if right is not None and made is not None and records is not None:
                declared, of = _declared(model, victim, policy)
                yield Promised(right, made, declared, _proven(right, made, records, declared), of)


def _declared(model: Model, victim: str, policy: str) -> tuple[Privacy | None, str]:
    """What holds there, and of what."""
    promise = model.run.private_answers.get(policy)
    if promise is not None:
        return promise, "answers are promised"
    return model.run.training_privacy.get(victim), "training is declared"


def _proven(right: Cell, made: Cell, records: Cell, declared: Privacy | None) -> float:
    delta = USUAL if declared is None else declared.delta
    return min(
        of_guesses(
            round(row.value),
            round(made.rows[seed].value),
            round(records.rows[seed].value),
            delta,
        )
        for seed, row in right.rows.items()
    )
