"""Whose marks there are, and whether they are enough: without a suspect, and without the vault."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from extproc.ownership.commitments import Commitment
from extproc.ownership.evidence import Holder, holder
from extproc.ownership.judging import LEVEL
from extproc.ownership.power import enough, needed


class Held(Struct, frozen=True, kw_only=True):
    """Of one who was told something."""

    model: str
    cohort: str
    tenant: str
    tenants: Sequence[str]
    """Who asked."""
    marks: int
    """Cells that are marked, each once."""
    controls: int
    first: datetime
    """When it was answered."""
    last: datetime
    enough: bool
    """Whether a copy would be found by them: see power.py."""
    needed: int
    """Marks that are enough, with the usual number of controls."""

    @property
    def name(self) -> str:
        return f"{Holder(self.model, self.cohort, self.tenant).name}, model {self.model}"


def held(counted: Iterable[Commitment], level: float = LEVEL) -> list[Held]:
    """As if a suspect were looked at for each of them alone."""
    by_holder: dict[Holder, list[Commitment]] = {}
    for each in counted:
        if each.marked.stamp != "canary":  # those are found by `extproc texts`
            by_holder.setdefault(holder(each.marked), []).append(each)
    return [_held(who, found, level) for who, found in sorted(by_holder.items())]


def _held(who: Holder, found: Sequence[Commitment], level: float) -> Held:
    stamps = {each.marked.cell: each.marked.stamp for each in reversed(found)}
    marks = sum(stamp == "mark" for stamp in stamps.values())
    controls = len(stamps) - marks
    times = [each.marked.time for each in found]
    return Held(
        model=who.model,
        cohort=who.cohort,
        tenant=who.tenant,
        tenants=sorted({each.marked.tenant for each in found}),
        marks=marks,
        controls=controls,
        first=min(times),
        last=max(times),
        enough=enough(marks, controls, level),
        needed=needed(level),
    )
