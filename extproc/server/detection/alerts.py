"""Alerts: what is found of suspects, told to those whom the policy file names.

Rules: at least once and in order, to each receiver by itself: one that is down, slow or has a wrong
certificate holds up nothing but its own alerts.  How many wait is bounded.  Where a folder is given
they wait in files too, and outlive the process; the audit log has every finding anyhow, so that an
alert that is lost, because too many wait or the process ends without a folder, is counted, and
nothing else is lost with it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from extproc.audit import Pseudonyms
from extproc.config.receivers import Receiver
from extproc.detectors.evidence import ALARM
from extproc.server.detection.cloud_event import called, event, identity
from extproc.server.detection.courier import Courier, Pace
from extproc.server.detection.finding import Finding
from extproc.server.detection.quota import Quota
from extproc.server.detection.spool import Kept, Spool
from extproc.server.detection.waiting import Waiting
from extproc.server.detection.webhook import Webhook
from extproc.server.record import Records

WAITING: Final = 1000
"""Alerts that wait for one receiver, of some 1,000 bytes each."""
LAST: Final = 2.0
"""Seconds that the end of the process waits for alerts to be delivered."""

Outcome = Callable[[str], None]
"""Told of each: ``delivered``; ``retried``, for each attempt that failed; ``given_up``, which
nobody took for a day; ``lost``, because too many waited or the process ended; ``held_back``, of a
subject that has had too many; ``unkept``, which the disk did not take, and memory has."""


@dataclass(frozen=True, slots=True)
class AlertPlan:
    receivers: tuple[Receiver, ...]
    source: str
    """Which sidecar it is, as a URI reference."""
    folder: Path | None = None
    """Where alerts wait, if anywhere."""


class Alerts:
    """A Listener; ``open_alerts`` makes one."""

    def __init__(
        self,
        couriers: Sequence[Courier],
        names: Callable[[], Pseudonyms],
        source: str,
        outcome: Outcome,
        records: Records,
        wall: Callable[[], float],
    ) -> None:
        self._couriers, self._names, self._source = couriers, names, source
        self._outcome, self._records = outcome, records
        self._wall, self._quota = wall, Quota()
        self._running: list[asyncio.Task[None]] = []

    @property
    def waiting(self) -> int:
        return sum(len(courier.waiting) for courier in self._couriers)

    def found(self, finding: Finding) -> None:
        """Never raises, never waits."""
        try:
            if finding.before != finding.after or finding.suspicion >= ALARM:
                self._tell(finding)
        except Exception as error:  # noqa: BLE001 - whoever finds it has others to tell
            self._records.fault(error)

    def _tell(self, finding: Finding) -> None:
        names = self._names()
        held_back = self._quota.take(called(finding, names), finding.time)
        if held_back is None:
            self._outcome("held_back")
            return
        body = event(finding, names, self._source, held_back)
        alert = Kept(self._wall(), identity(finding, names), body)
        for courier in self._couriers:
            if not courier.waiting.add(alert):
                self._outcome("lost")

    async def start(self) -> Self:
        """Go on with what another process left.  Raise ConfigError."""
        for courier in self._couriers:
            await courier.waiting.load()
        self._running = [asyncio.create_task(courier.run()) for courier in self._couriers]
        return self

    async def close(self, seconds: float = LAST) -> None:
        """Wait so long for what is under way, then leave it to files, or count it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for courier in self._couriers:
                    await courier.waiting.empty()
        for each in self._running:
            each.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for courier in self._couriers:
            await self._left(courier)

    async def _left(self, courier: Courier) -> None:
        await courier.waiting.keep_all()
        for _ in range(courier.waiting.unsafe):
            self._outcome("lost")
        await courier.close()


async def open_alerts(
    plan: AlertPlan,
    names: Callable[[], Pseudonyms],
    outcome: Outcome,
    records: Records,
    pace: Pace | None = None,
) -> Alerts:
    """What the policy file asks for, begun.  Raise ConfigError."""
    couriers, pace = [], pace or Pace()
    for receiver in plan.receivers:
        webhook = await asyncio.to_thread(Webhook, receiver)
        waiting = Waiting(await _spool(plan, receiver), WAITING, lambda: outcome("unkept"))
        couriers.append(Courier(webhook, waiting, pace, outcome, records))
    return await Alerts(couriers, names, plan.source, outcome, records, pace.wall).start()


async def _spool(plan: AlertPlan, receiver: Receiver) -> Spool | None:
    return await asyncio.to_thread(Spool, plan.folder, receiver.url) if plan.folder else None
