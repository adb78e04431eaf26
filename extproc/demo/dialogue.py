"""Asks every case of the model server itself, and through Envoy at every tier.

Rule: both are asked in turn, so that whatever slows this machine down slows both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from extproc.demo.answer import Answer
from extproc.demo.cases import CASES, Case
from extproc.demo.client import Client, bearer
from extproc.demo.policy_file import TIERS

REPEATS: Final = 5

Answers = Mapping[tuple[str, str], Sequence[Answer]]
"""By case and tier, in the order they were given."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Every answer.  A case or tier that was not asked is a KeyError, never a pass."""

    direct: Answers
    """What the model server said, each time just before it was asked through Envoy."""
    served: Answers
    """What came through Envoy."""

    def says(self, case: Case) -> Answer:
        return self.direct[case.name, TIERS[0]][0]

    def gets(self, case: Case, tier: str) -> Answer:
        return self.served[case.name, tier][0]

    def added_ms(self, case: Case, tier: str) -> float:
        """Milliseconds: the median of what each served answer took longer than its direct one."""
        pairs = zip(self.served[case.name, tier], self.direct[case.name, tier], strict=True)
        return 1000 * median(got.seconds - said.seconds for got, said in pairs)


async def observe(model: Client, gateway: Client, keys: Mapping[str, str]) -> Observed:
    """Ask everything; ``keys`` are by tier."""
    direct: dict[tuple[str, str], list[Answer]] = {}
    served: dict[tuple[str, str], list[Answer]] = {}
    for case in CASES:
        for tier in TIERS:
            said, got = direct[case.name, tier], served[case.name, tier] = [], []
            for _ in range(REPEATS):
                said.append(await model.post(case.path, case.body))
                got.append(await gateway.post(case.path, case.body, headers=bearer(keys[tier])))
    return Observed(direct, served)
