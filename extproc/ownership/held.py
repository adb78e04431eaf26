"""Whose marks there are, and whether they are enough: without a suspect, and without the vault."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from extproc.marks.stamps import TEXTS
from extproc.ownership.commitments import Commitment
from extproc.ownership.evidence import Holder, holder
from extproc.ownership.judging import LEVEL
from extproc.ownership.power import ENOUGH_TEXTS, enough, needed


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
    texts: int
    """Inputs whose embeddings are marked, each once; 0 of one who was told labels."""
    lists: int
    """Green lists, and keys of processors, by which texts were written."""
    canaries: int
    """Prompts that were answered with one."""
    first: datetime
    """When it was answered."""
    last: datetime
    enough: bool
    """Whether a copy would be found by them: see power.py."""
    needed: int
    """Marks that are enough, with the usual number of controls; or texts; 0 of what is written, of
    which one is enough where the suspect says enough."""

    @property
    def name(self) -> str:
        return f"{Holder(self.model, self.cohort, self.tenant).name}, model {self.model}"


def held(counted: Iterable[Commitment], level: float = LEVEL) -> list[Held]:
    """As if a suspect were looked at for each of them alone."""
    by_holder: dict[tuple[Holder, bool], list[Commitment]] = {}
    for each in counted:
        # What is written is told apart: it is found by `extproc ownership texts`.
        who = holder(each.marked), each.marked.stamp in TEXTS
        by_holder.setdefault(who, []).append(each)
    return [_held(who, found, level) for (who, _), found in sorted(by_holder.items())]


def _held(who: Holder, found: Sequence[Commitment], level: float) -> Held:
    stamps = Counter({each.marked.cell: each.marked.stamp for each in reversed(found)}.values())
    marks, controls, texts = stamps["mark"], stamps["control"], stamps["embedding"]
    lists, canaries = stamps["green_list"] + stamps["processor"], stamps["canary"]
    if lists or canaries:
        suffices, needs = True, 0
    elif texts:
        suffices, needs = texts >= ENOUGH_TEXTS, ENOUGH_TEXTS
    else:
        suffices, needs = enough(marks, controls, level), needed(level)
    times = [each.marked.time for each in found]
    return Held(
        model=who.model,
        cohort=who.cohort,
        tenant=who.tenant,
        tenants=sorted({each.marked.tenant for each in found}),
        marks=marks,
        controls=controls,
        texts=texts,
        lists=lists,
        canaries=canaries,
        first=min(times),
        last=max(times),
        enough=suffices,
        needed=needs,
    )
