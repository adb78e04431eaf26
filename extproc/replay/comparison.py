"""What another policy changes, counted."""

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct, field

from extproc.audit import Record
from extproc.replay.judge import Verdict

_REASONS = 5
"""Of one tenant, the most frequent ones."""


class Change(Struct, frozen=True):
    """What happens to exchanges instead of what happened, and how often."""

    before: str
    after: str
    count: int


class Tenant(Struct, frozen=True):
    """What a tenant would have had."""

    tenant: str
    requests: int
    served: int
    """As it was recorded."""
    would: int
    """How many would be served."""
    lowered: int
    """Of those, how many at another tier than they were."""
    changes: tuple[Change, ...]


class Comparison(Struct):
    """Counts exchanges as they are judged."""

    _requests: Counter[str] = field(default_factory=Counter)
    _served: Counter[str] = field(default_factory=Counter)
    _would: Counter[str] = field(default_factory=Counter)
    _lowered: Counter[str] = field(default_factory=Counter)
    _changes: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)

    def add(self, record: Record, verdict: Verdict) -> None:
        tenant, served = record.tenant, record.decision == "served"
        would = verdict.decision == "served"
        self._requests[tenant] += 1
        self._served[tenant] += served
        self._would[tenant] += would
        self._lowered[tenant] += served and would and record.fidelity != verdict.fidelity
        before, after = _told(record), _of(verdict)
        if before != after:
            self._changes.setdefault(tenant, Counter())[before, after] += 1

    def tenants(self) -> Iterator[Tenant]:
        """Those for whom most changes first."""
        of = self._changes
        for tenant in sorted(
            self._requests, key=lambda name: (-sum(of.get(name, {}).values()), name)
        ):
            yield Tenant(
                tenant,
                self._requests[tenant],
                self._served[tenant],
                self._would[tenant],
                self._lowered[tenant],
                tuple(
                    Change(before, after, count)
                    for (before, after), count in of.get(tenant, Counter()).most_common(_REASONS)
                ),
            )


def _told(record: Record) -> str:
    if record.decision == "served":
        return f"served at {record.fidelity}"
    return f"{record.decision}: {record.reason}" if record.reason else record.decision


def _of(verdict: Verdict) -> str:
    limit = f" ({verdict.limit})" if verdict.limit else ""
    if verdict.decision == "served":
        work = " for work" if verdict.reason else ""
        return f"served at {verdict.fidelity}{work}{limit}"
    return f"refused: {verdict.reason}{limit}"
