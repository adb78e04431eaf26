"""Puts another policy in force when its files say so, without a request noticing.

Rules: all of it or nothing.  What is wrong keeps the policy that serves, and is told; what is right
is put in force in one step, when its issuers have been asked for their keys.  Files are read, and
what was made of old ones is let go of, in a thread that keeps nobody waiting.
"""

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from extproc.audit import Enforced
from extproc.audit.record import EnforcedBy
from extproc.caps import Caps
from extproc.config import Loaded, load_all
from extproc.config.files import Files
from extproc.config.fixed import check_fixed
from extproc.config.keyring import ends
from extproc.credentials import ApiKey, ApiKeys
from extproc.errors import ConfigError
from extproc.policy import PolicyTable
from extproc.server.audited import Auditor
from extproc.server.issuers import Issuers
from extproc.server.record import Records
from extproc.server.short_turns import short_turns
from extproc.server.tables import InForce, Tables, let_go
from extproc.server.telemetry import Telemetry
from extproc.server.watched import Watcher

LOOK: Final = 5.0
"""Seconds between two looks at the files that nobody told us to take."""
SETTLE: Final = 0.2
"""Seconds of silence after a change: who writes several files is not done with the first."""
PATIENCE: Final = 3.0
"""Seconds after which files are read though somebody still writes."""
LINGER: Final = 10.0
"""Seconds that a request may be between ext_authz and ext_proc: Envoy's timeout for the first."""
_GARBAGE: Final = (2_000, 1_000_000, 1_000_000)
"""Objects after which it looks for garbage among them, a millisecond's work; never among all."""
_ALONE: Final = threading.Lock()

Bound = Callable[[Caps], None]


class Reloader:
    """Of one sidecar.  ``bound`` takes the caps of each policy that is put in force."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it changes, and whom it tells
        self,
        loaded: Loaded,
        tables: Tables,
        issuers: Issuers,
        telemetry: Telemetry,
        records: Records,
        bound: Bound,
        linger: float = LINGER,
        auditor: Auditor | None = None,
    ) -> None:
        self._loaded, self._tables, self.issuers = loaded, tables, issuers
        self._telemetry, self._records, self._bound = telemetry, records, bound
        self._linger, self._auditor = linger, auditor
        self._files = loaded.config.document.files
        self._wake = asyncio.Event()
        self._hurried = False
        self._watcher = Watcher(self._wake.set)
        self._retiring: set[asyncio.Task[None]] = set()
        self.problem = ""
        """Why what the files say now is not in force; empty where it is."""
        self._told_version = ""
        self._tell("start")

    @property
    def drain(self) -> float:
        """Seconds, as the policy in force says."""
        return self._loaded.config.drain

    @property
    def notice(self) -> float:
        """Seconds, as the policy in force says."""
        return self._loaded.config.notice

    def hurry(self) -> None:
        """Load now, whatever was noticed: what SIGHUP asks for."""
        self._hurried = True
        self._wake.set()

    def told(self) -> list[str]:
        """For whoever looks after the sidecar."""
        lines = [f"config {self._version} since {self._since}"]
        if self.problem:
            lines.append(f"not reloaded: {self.problem}")
        return lines + self.issuers.told()

    def status(self) -> Mapping[str, str]:
        """The same, for programs."""
        return {"config": self._version, "since": self._since, "problem": self.problem}

    async def run(self) -> None:
        """For as long as the sidecar serves."""
        while True:
            try:
                await self._turn()
            except Exception as error:  # noqa: BLE001 - its end would be the end of reloading
                self._records.fault(error)
                await asyncio.sleep(LOOK)

    async def close(self) -> None:
        """After ``run`` has been cancelled."""
        await self._watcher.close()
        retiring = [*self._retiring]
        for task in retiring:
            task.cancel()
        await asyncio.gather(*retiring, return_exceptions=True)
        await self.issuers.close()

    async def reload(self, cause: EnforcedBy = "files") -> None:
        """Load, and put in force what is another policy."""
        began = time.monotonic()
        self._files = Files()  # whatever it comes to: what was wrong is in them
        try:
            loaded = await asyncio.to_thread(self._load, self._files)
            changed = loaded.table.version != self._version
            if changed:
                await self._put_in_force(loaded)
        except ConfigError as error:
            await asyncio.to_thread(self._end_keys)
            self._refused(str(error))
        except Exception as error:  # noqa: BLE001 - the policy that serves must go on
            self._records.fault(error)
            self._refused("internal error, see the log")
        else:
            self._done(cause if changed else None, time.monotonic() - began)

    async def _turn(self) -> None:
        await self._watcher.follow(self._files.paths)
        if self._hurried:
            self._hurried = False
            await self.reload("signal")
        elif await asyncio.to_thread(self._files.same):
            await self._woken(LOOK)
        else:
            await self._settled()
            await self.reload()

    async def _settled(self) -> None:
        end = time.monotonic() + PATIENCE
        while await self._woken(SETTLE) and time.monotonic() < end:
            pass

    async def _woken(self, seconds: float) -> bool:
        """Whether anything was told within so many."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    def _load(self, files: Files) -> Loaded:
        with _unnoticed():
            config = self._loaded.config
            loaded = load_all(config.document.path, config.base, files)
            check_fixed(self._loaded, loaded)
            return loaded.lightened()

    def _end_keys(self) -> None:
        """Whatever else is wrong: a key that was revoked is let in no longer than that is known."""
        config, provers = self._loaded.config, self._loaded.table.provers
        for name, path in config.key_files.items():
            prover, credential = provers[name], config.settings.credentials[name]
            assert isinstance(prover, ApiKeys)
            assert isinstance(credential, ApiKey)
            self._files.look(path)  # to be told of what is revoked next
            try:
                ended = prover.end(ends(path, credential.max_keys))
            except (ConfigError, OSError):
                continue  # that is what is wrong, and told
            if ended:
                self._records.add("keys ended", {"credential": name, "keys": ended}, "warning")

    async def _put_in_force(self, loaded: Loaded) -> None:
        # In a thread: the system's authorities are read for each issuer.
        issuers = await asyncio.to_thread(Issuers, loaded.table, self._records, self.issuers)
        try:
            await issuers.start()
        except BaseException:
            await issuers.close()
            raise
        replaced, asked, before = self._loaded, self.issuers, self._tables.now
        self._tables.swap(loaded.table, issuers.ask)
        self._loaded, self.issuers = loaded, issuers
        self._bound(loaded.table.caps)
        retiring = asyncio.create_task(self._retire(before, asked, replaced))
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    async def _retire(self, before: InForce, issuers: Issuers, replaced: Loaded) -> None:
        try:
            await before.unused()
        finally:
            await issuers.close()
        await asyncio.sleep(self._linger)
        self._tables.forget(before.table)
        await asyncio.to_thread(_let_go, before.table, replaced)

    @property
    def _version(self) -> str:
        return self._loaded.table.version

    def _done(self, changed: EnforcedBy | None, seconds: float) -> None:
        """``changed``: by what another policy is in force, if one is."""
        before = self._told_version
        self.problem = ""
        self._telemetry.reload_failed.set(0)
        self._telemetry.reloads("changed" if changed else "unchanged").inc()
        told = {"config": self._version, "milliseconds": round(seconds * 1000, 1)}
        if changed:
            self._tell(changed)
            told["before"] = before
        self._records.add("reloaded" if changed else "unchanged", told)

    def _refused(self, problem: str) -> None:
        self.problem = problem
        self._telemetry.reload_failed.set(1)
        self._telemetry.reloads("failed").inc()
        told = {"config": self._version, "problem": problem}
        self._records.add("not reloaded", told, "error")

    def _tell(self, cause: EnforcedBy) -> None:
        """Which policy is in force from now on."""
        now = datetime.now(UTC)
        if self._auditor is not None:
            self._auditor.enforced(Enforced(now, self._version, self._told_version, cause))
        self._since, self._told_version = now.isoformat(timespec="seconds"), self._version
        self._telemetry.config.clear()
        self._telemetry.config.labels(self._version).set(1)
        self._telemetry.config_since.set(now.timestamp())
        self._telemetry.rolled_out(self._loaded.table.rollout)


def _let_go(table: PolicyTable, replaced: Loaded) -> None:
    with _unnoticed():
        let_go(table)
        replaced.lightened()


@contextmanager
def _unnoticed() -> Iterator[None]:
    """One thread that works so, takes short turns, and does not search all of a new policy's
    objects for garbage: nothing else would run while that lasts.
    """
    with _ALONE, short_turns():
        thresholds = gc.get_threshold()
        gc.set_threshold(*_GARBAGE)
        try:
            yield
        finally:
            gc.set_threshold(*thresholds)
