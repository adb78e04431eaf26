"""Whose a copy of a classifier is: as ``extproc ownership verify`` judges it.

Rule: what counts was committed to in the signed log, and is in the vault; the copy is asked about
marks and controls alike.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final

import numpy as np

from extproc.ownership.commitments import Bounds, Committed, committed
from extproc.ownership.evidence import Cell, Evidence, Holder, gathered, sheet
from extproc.ownership.judging import judged
from extproc.ownership.vault_file import open_vault, read_key
from extproc.redteam.answers import Floats, Ints
from extproc.redteam.firing_range.issue import LOG, LOG_KEY, VAULT, VAULT_KEY
from extproc.redteam.owner.found import Found
from extproc.redteam.owner.kept import Kept

SETTLED: Final = 2.0
"""Seconds in which the gateway has written and signed what was asked, where it is not busy."""
_PATIENCE: Final = 30.0
"""Seconds until what is missing counts as missing."""


@dataclass(slots=True)
class LabelOwner:
    kept: Kept
    settled: float = SETTLED
    _read: tuple[int, Evidence] | None = field(default=None, init=False)
    """As it was after so many requests."""

    async def finds(self, copy: Callable[[Floats], Ints], asked: int) -> Found | None:
        """None where nothing was marked.  ``asked``: requests of the trial so far.

        Raise ConfigError where the log is not whole, or the vault does not open.
        """
        if self._read is None or self._read[0] != asked:
            self._read = asked, await self._evidence()
        evidence = self._read[1]
        if not any(evidence.cells.values()):
            return None
        return self._found(evidence.cells, evidence.tenants, copy)

    def _found(
        self,
        cells: Mapping[Holder, Sequence[Cell]],
        tenants: Mapping[Holder, Sequence[str]],
        copy: Callable[[Floats], Ints],
    ) -> Found:
        questions = sheet(cells)
        said = copy(np.array([question.input for question in questions], np.float64))
        answers = {
            question.question: (str(int(label)),)
            for question, label in zip(questions, said, strict=True)
        }
        bits, named, others, accused = 0.0, False, list[float](), 0
        for each in judged(cells, tenants, answers).labels:
            carries = each.verdict == "carries the marks"
            if self.kept.thief in {each.cohort, _party(each.tenant)}:
                bits, named = min(bits, each.corrected), named or carries
            else:
                others.append(each.corrected)
                accused += carries
        return Found(bits, named, tuple(others), accused)

    async def _evidence(self) -> Evidence:
        """Waits until all that was asked is signed and sealed, where it is not lost."""
        began, deadline = datetime.now(UTC), monotonic() + _PATIENCE
        while True:
            await asyncio.sleep(self.settled)
            found = self._committed()
            evidence = self._mine(found)
            missing = any(cell.entry is None for each in evidence.cells.values() for cell in each)
            if monotonic() > deadline or (_signed(found, began) and not missing):
                return evidence

    def _committed(self) -> Committed:
        folders = self.kept.folders
        logs = [path for folder in folders for path in _files(folder)]
        keys = [folder / f"{LOG_KEY}.pub" for folder in folders]
        return committed(logs, keys, Bounds(), live=True)

    def _mine(self, found: Committed) -> Evidence:
        """Of those who asked in the trial."""
        entries = {
            commitment: entry
            for folder in self.kept.folders
            for commitment, entry in open_vault(
                [folder / VAULT], read_key(folder / VAULT_KEY)
            ).entries.items()
        }
        whose = {self.kept.thief, *self.kept.others}
        counted = [each for each in found.counted if _party(each.marked.tenant) in whose]
        return gathered(counted, entries)


def _files(folder: Path) -> list[Path]:
    """Of a log, which is there even where nothing of it is left."""
    return [*sorted(folder.glob(f"{LOG}.*")), folder / LOG]


def _party(tenant: str) -> str:
    """Whose tenant it is; they are numbered."""
    return tenant.rpartition("-")[0]


def _signed(found: Committed, since: datetime) -> bool:
    last = max((each.signed for each in found.counted), default=None)
    return found.unsigned == 0 or (last is not None and last >= since)
