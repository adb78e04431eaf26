"""The watcher that a policy file asks for."""

import os
import time
from collections.abc import Callable, Mapping

import numpy as np
from msgspec import Struct

from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.linker import SUBJECTS, Linker
from extproc.config import Config
from extproc.detectors.profile import Decay
from extproc.server.detection.calibrated import Calibrated
from extproc.server.detection.judge import Judge
from extproc.server.detection.settings import Find, Terms
from extproc.server.detection.watcher import Watcher
from extproc.server.record import Records
from extproc.server.tables import Tables
from extproc.stores.opened import open_profiles
from extproc.stores.profiles import Profiles
from extproc.stores.redis.profiles import RedisProfiles


class OpenedWatcher(Struct, frozen=True):
    """Start it in the event loop that serves, and close it there."""

    watcher: Watcher
    shared: RedisProfiles | None
    """What replicas share; None where each knows what it has seen itself."""

    async def start(self) -> None:
        if self.shared is not None:
            await self.shared.start()
        await self.watcher.start()

    async def close(self) -> None:
        await self.watcher.close()
        if self.shared is not None:
            await self.shared.close()


def open_watcher(
    config: Config,
    found: Calibrated,
    tables: Tables,
    records: Records,
    *,
    environ: Mapping[str, str] = os.environ,
    wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
) -> OpenedWatcher:
    """Raise ConfigError where the store that the file names cannot be used."""
    settings, layout = found.settings, found.layout
    draws = np.random.default_rng()
    own = Profiles(layout, Decay(settings.half_life), settings.profiles, draws=draws)
    shared = open_profiles(config, environ, own, layout, settings.half_life, wall)
    kept = own if shared is None else shared
    linker = _linker(found, tables.now.table.key)
    judge = Judge(settings, layout, kept.read, terms(tables), records, linker)
    watcher = Watcher(settings, kept, judge, records, found.sketcher, wall=wall)
    if shared is not None:
        shared.verdict, shared.told, judge.changed = judge.verdict, judge.hear, shared.touch
        judge.allowances = shared.allowances
        shared.allowances.put = watcher.again
        shared.trace, shared.traced = linker.trace, linker.hear
        watcher.written, watcher.began = shared.written, _since(shared, watcher.began)
    return OpenedWatcher(watcher, shared)


def _since(shared: RedisProfiles, began: Callable[[], float]) -> Callable[[], float]:
    """What the store says, once it has been asked."""
    return lambda: began() if shared.began is None else shared.began


def _linker(found: Calibrated, key: bytes) -> Linker:
    most = max(found.settings.thresholds.values())
    subjects = min(SUBJECTS, found.settings.profiles)
    discounts: dict[str, float] = {}
    for each in found.settings.discounts.values():
        for name, nats in each.items():
            discounts[name] = max(nats, discounts.get(name, nats))
    known = Knowledge(found.layout, found.base, most, found.usual, discounts)
    return Linker(known, key, subjects)


def terms(tables: Tables) -> Find:
    """By the policies in force."""

    def find(tenant: str, route: str) -> Terms | None:
        table = tables.now.table
        policy = table.policies.get((tenant, route))
        if policy is None:
            return None
        return Terms(
            traffic=policy.traffic,
            ladder=policy.ladder,
            exempt=policy.exempt,
            cohort=policy.cohort,
            shadow=policy.shadow,
            policy=table.version,
        )

    return find
