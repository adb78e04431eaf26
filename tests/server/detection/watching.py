"""Whoever watches, in memory: what an operator's acts are tried on."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from extproc.accounts.suspects import Word
from extproc.errors import StoreUnavailable
from extproc.server.detection.suspects import Watched
from tests.server.detection.findings import NOON, PERSON

ACME = Watched(
    subject="acme",
    tenant="acme",
    traffic="user",
    suspicion=0.93,
    step="fidelity",
    until=NOON + 3600,
    evidence={"cadence": 0.25, "novelty": 9.0625, "volume": float("-inf")},
    counts={"queries": 120, "exchanges": 12},
    cohorts=("block-7",),
)
ALICE = Watched(f"beta|{PERSON}", "beta", PERSON, "user", 0.71, evidence={"coverage": 2.5})
BLOCK = Watched("cohort:block-7", traffic="user", suspicion=0.5)


class Watch:
    """Knows these, and does what it is told; ``down``: the store does not answer."""

    def __init__(self, *watched: Watched) -> None:
        self._known = {each.subject: each for each in watched}
        self.down = False
        self.said = list[tuple[str, Word, float]]()

    def page(self, after: str, most: int) -> Sequence[Watched]:
        found = sorted(subject for subject in self._known if subject > after)
        return [self._known[subject] for subject in found[:most]]

    def one(self, subject: str) -> Watched | None:
        return self._known.get(subject)

    async def override(self, subject: str, word: Word, until: float) -> None:
        if self.down:
            raise StoreUnavailable
        self.said.append((subject, word, until))
        more: dict[str, Any] = {"word": "trusted" if word == "trust" else "frozen"}
        if word == "forgive":
            more = {"word": "", "suspicion": 0.0, "step": "", "until": 0.0, "evidence": {}}
        known = self._known.get(subject, Watched(subject, subject))
        self._known[subject] = replace(known, **more, word_until=until)
