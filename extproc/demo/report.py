"""What the demo has to say: every answer side by side, every protection, and what it did not show.

Rule: people and programs are told the same; table.py only lays it out.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from extproc.demo.cases import CASES, Case
from extproc.demo.dialogue import REPEATS, Observed
from extproc.demo.policy_file import TIERS
from extproc.demo.preview import Preview, preview
from extproc.demo.verdict import Verdict

NOT_SHOWN: Final = (
    "that nobody can copy the model: a caller with enough questions of the right kind still can",
    "anything that hides text, timing or length: text passes as it was written",
    "load, several replicas, TLS: one caller on one machine; added ms are no benchmark",
)


class Row(Struct, frozen=True):
    """One case at one tier."""

    case: str
    request: str
    """Method and path."""
    asks: str
    tier: str
    without_extproc: Preview
    with_extproc: Preview
    bytes_without: int
    """Of the body."""
    bytes_with: int
    added_ms: float
    """How much longer it took with than without: the median of ``Report.repeats`` times."""


class Report(Struct, frozen=True):
    """One run of ``extproc demo --once``."""

    held: bool
    """Whether every protection did."""
    rows: tuple[Row, ...]
    protections: tuple[Verdict, ...]
    not_shown: tuple[str, ...] = NOT_SHOWN
    repeats: int = REPEATS

    @property
    def failed(self) -> list[Verdict]:
        return [verdict for verdict in self.protections if not verdict.held]


def report(observed: Observed, verdicts: Iterable[Verdict]) -> Report:
    protections = tuple(verdicts)
    return Report(
        held=all(verdict.held for verdict in protections),
        rows=tuple(_row(observed, case, tier) for case in CASES for tier in TIERS),
        protections=protections,
    )


def to_json(told: Report) -> str:
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _row(observed: Observed, case: Case, tier: str) -> Row:
    said, got = observed.says(case), observed.gets(case, tier)
    return Row(
        case=case.name,
        request=f"POST {case.path}",
        asks=case.asks,
        tier=tier,
        without_extproc=preview(case.api, said, said),
        with_extproc=preview(case.api, got, said),
        bytes_without=len(said.body),
        bytes_with=len(got.body),
        added_ms=round(observed.added_ms(case, tier), 1),
    )
