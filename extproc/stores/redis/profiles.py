"""Profiles that replicas share: each writes what it has counted itself, and reads what others have.

Rules.  A profile is the sum of what each has counted (a state-based CRDT: Shapiro, Preguica,
Baquero and Zawirski, "Conflict-free Replicated Data Types", SSS 2011), so that nothing is counted
twice or lost, whatever is written again.  One round trip a second, of bounded size; nothing waits
for it.  While there is no store detection goes on with what is known here, and what changed is
written when there is one again; one that has lost what it knew is told all anew.
"""

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Final

import numpy as np
from msgspec.structs import replace

from extproc.cohorts.trace import NO_TRACE, Trace
from extproc.detectors.features import Features
from extproc.detectors.profile import ASKED, Decay, Layout
from extproc.errors import Malformed, StoreUnavailable
from extproc.stores.contribution import (
    NO_VERDICT,
    Contribution,
    Verdict,
    decode,
    encode,
    tag,
    together,
)
from extproc.stores.profiles import Profile, Profiles
from extproc.stores.redis.allowances import SharedAllowances
from extproc.stores.redis.calls import Calls
from extproc.stores.redis.others import Others
from extproc.stores.redis.servers import Servers
from extproc.stores.redis.wire import Word
from extproc.stores.redis.words import Group

EVERY: Final = 1.0
"""Seconds between two round trips."""
_WAIT: Final = 1.0
"""Seconds that one takes at most."""
WRITTEN: Final = 256
"""Subjects that are written in one, and that are read."""
READ: Final = 512 << 10
"""Octets that are read."""
KEPT: Final = 64
"""Fields of a subject at most."""
_FOLDED: Final = 8
"""From so many on, those of replicas that are gone are made one."""
_TURN: Final = 16
"""Subjects after which others have their turn."""
_TRIES: Final = 2
_LIFE: Final = 10
"""Half-lives that a subject is kept: less than a thousandth is left of it then."""
_GONE: Final = b"+"
_Field = tuple[bytes, bytes, Contribution]
_NAME: Final = 8
"""Octets of a replica's name, written in hexadecimal digits."""


class RedisProfiles:
    """Start it in the event loop that it is used in, and close it there."""

    def __init__(
        self,
        own: Profiles,
        layout: Layout,
        half_life: float,
        servers: Servers,
        prefix: str,
        *,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
    ) -> None:
        self.own = own
        self.others = Others(layout.size, tag(layout), own.capacity)
        self.verdict: Callable[[str], Verdict] = lambda _: NO_VERDICT
        """What is said of a case here."""
        self.told: Callable[[str, Verdict], None] = lambda *_: None
        """Told what others say of one."""
        self.allowances = SharedAllowances()
        self.trace: Callable[[str], Trace] = lambda _: NO_TRACE
        """What is known here of the company that one is in."""
        self.traced: Callable[[str, Trace], None] = lambda *_: None
        """Told what others know of it."""
        self.trips = self.failures = self.folds = 0
        self.refused = 0
        """Contributions that nobody can have counted."""
        self.losses = 0
        """Times that the store had lost what it knew."""
        self._layout, self._decay, self._half_life = layout, Decay(half_life), half_life
        self._tag, self._wall = tag(layout), wall
        self._servers, self._calls = servers, Calls(servers)
        base = f"{prefix}:{{profiles}}:"
        kinds = ("-life", "-alive", "-put:")
        self._keys = Group("", (base, *(f"{base[:-1]}{kind}" for kind in kinds)), ())
        self._replica = secrets.token_hex(_NAME).encode()
        self._life, self._change = b"", b"0"
        self._changed: OrderedDict[str, None] = OrderedDict()
        self._again: Iterator[str] = iter(())
        self._folds: list[tuple[str, bytes, list[tuple[bytes, bytes]]]] = []
        self._task: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        """Set when the round trip that is under way, or comes next, is over."""

    def __len__(self) -> int:
        return len(self.own)

    def __contains__(self, subject: str) -> bool:
        return subject in self.own or subject in self.others

    @property
    def forgotten(self) -> int:
        return self.own.forgotten

    @property
    def behind(self) -> int:
        """Subjects of which the store does not know yet what was counted here."""
        return len(self._changed)

    @property
    def began(self) -> float | None:
        """Since when the store knows, in seconds since 1970; None where nobody has asked it yet."""
        made = self._life[2 * _NAME :]
        return int(made) / 1e6 if made else None

    @property
    def writes(self) -> int:
        """Each takes a round trip."""
        return sum(link.writes for link in self._servers.links())

    @property
    def up(self) -> bool:
        return all(link.up for link in self._servers.links())

    def add(self, subject: str, group: str, features: Features) -> None:
        if subject in self.others and subject not in self.own:
            self.own.begin(subject, group, features.time)
            self.own.known(subject, self.others[subject].asked)
        self.own.add(subject, group, features)
        self.touch(subject)

    def touch(self, subject: str) -> None:
        """Have it be written that something is new of a subject."""
        self._changed[subject] = None
        if len(self._changed) > self.own.capacity:
            self._changed.popitem(last=False)

    async def written(self, subject: str) -> None:
        """Have it be written before all else; return when it is.

        Raise StoreUnavailable where it is not known whether that was done.
        """
        self.touch(subject)
        self._changed.move_to_end(subject, last=False)
        for _ in range(_TRIES):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), 2 * EVERY + _WAIT)
            if subject not in self._changed:
                return
        raise StoreUnavailable("it does not answer")

    def judge(self, subject: str, nats: float) -> None:
        self.own.judge(subject, nats)

    def first(self, subject: str) -> float | None:
        found = self.own.first(subject)
        if subject not in self.others:
            return found
        elsewhere = self.others[subject].first
        return elsewhere if found is None else min(found, elsewhere)

    def read(self, subject: str, now: float) -> Profile | None:
        """With what others have counted."""
        own = self.own.read(subject, now)
        if subject not in self.others:
            return own
        other = self.others[subject]
        whole = together([other, _of(own)] if own is not None else [other], self._decay)
        return Profile(
            whole.counters * np.float32(self._decay.factor(now - whole.time)),
            whole.asked,
            now,
            whole.first,
            whole.last,
            int(whole.queries),
        )

    async def start(self) -> None:
        """Connect; where that fails it goes on trying, in the background."""
        await self._servers.start()
        self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Write what there is still to be written, if that takes one round trip."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            await self.trip()
        await self._servers.close()

    async def _keep(self) -> None:
        while True:
            await self.trip()
            self._over.set()
            self._over = asyncio.Event()
            await asyncio.sleep(EVERY)

    async def trip(self) -> None:
        """One round trip; what was not answered is written again."""
        writes = await self._writes()
        folds, self._folds = self._folds, []
        until = asyncio.get_running_loop().time() + _WAIT
        try:
            link = self._calls.link([self._keys])
            self.trips += 1
            words = [*self._head(), *self.allowances.words(), *_words(writes, folds)]
            reply = await self._calls.run(link, "share", [self._keys], words, until)
        except StoreUnavailable:
            self.failures += 1
            self.allowances.away = True
            for subject, _, _ in writes:
                self.touch(subject)
            return
        if reply[0] == b"D":
            self._begin_anew()
            return
        _, _, life, self._change, entries, alive, may = reply
        self.folds += len(folds)
        if life != self._life:
            self._lost()
            self._life = life
        steps = chain(self._learned(entries, alive), self.allowances.answered(may, len(alive)))
        for number, _ in enumerate(steps):
            if number % _TURN == _TURN - 1:
                await asyncio.sleep(0)

    def _head(self) -> list[Word]:
        ttl = int(self._half_life * _LIFE) + 1
        return [b"", self._replica, self._life, self._change, ttl, WRITTEN, READ, KEPT]

    async def _writes(self) -> list[tuple[str, bytes, bytes]]:
        """What changed here, the oldest first; then what the store may have lost."""
        while len(self._changed) < WRITTEN and (again := next(self._again, None)) is not None:
            self._changed[again] = None
        writes: list[tuple[str, bytes, bytes]] = []
        now = self._wall()
        while self._changed and len(writes) < WRITTEN:
            subject, _ = self._changed.popitem(last=False)
            counted = self._counted(subject, now)
            if counted is not None:
                writes.append((subject, self._field(subject), encode(counted, self._tag)))
            if len(writes) % _TURN == 0:
                await asyncio.sleep(0)
        return writes

    def _counted(self, subject: str, now: float) -> Contribution | None:
        """None where it has been forgotten here: what was written of it stays."""
        own, verdict = self.own.read(subject, now), self.verdict(subject)
        if own is not None:
            return replace(_of(own), verdict=verdict, trace=self.trace(subject))
        return self._nothing(now, verdict) if verdict != NO_VERDICT else None

    def _nothing(self, now: float, verdict: Verdict) -> Contribution:
        counters, asked = np.zeros(self._layout.size, np.float32), np.zeros(ASKED, np.uint8)
        return Contribution(counters, asked, now, now, now, 0, verdict)

    def _field(self, subject: str) -> bytes:
        return b"%b.%x" % (self._replica, self.own.birth(subject))

    def _lost(self) -> None:
        """Have all that was counted here be written anew."""
        if self._life:
            self.losses += 1
            self._again = iter(list(self.own.subjects()))

    def _begin_anew(self) -> None:
        """This replica was away for so long that others took it for gone, and may have folded what
        it had written: that is theirs now, and what it counts from now on is its own.
        """
        self._replica, self._change = secrets.token_hex(_NAME).encode(), b"0"
        self._changed.clear()
        self.own.clear()

    def _learned(
        self, entries: Sequence[Sequence[bytes]], alive: Sequence[bytes]
    ) -> Iterator[None]:
        living = set(alive)
        for entry in entries:
            self._learn(entry, living)
            yield

    def _learn(self, entry: Sequence[bytes], alive: set[bytes]) -> None:
        """What stands of one subject."""
        subject = entry[0].decode(errors="surrogateescape")
        parts, gone = self._parts(subject, entry, alive)
        if not parts:
            self.others.forget(subject)
            return
        whole = together(parts, self._decay)
        self.others.put(subject, replace(whole, trace=NO_TRACE))
        self.own.known(subject, whole.asked)
        if whole.verdict != NO_VERDICT:
            self.told(subject, whole.verdict)
        if whole.trace != NO_TRACE:
            self.traced(subject, whole.trace)
        if len(parts) >= _FOLDED and len(gone) > 1 and len(self._folds) < WRITTEN:
            self._fold(subject, gone)

    def _parts(
        self, subject: str, entry: Sequence[bytes], alive: set[bytes]
    ) -> tuple[list[Contribution], list[_Field]]:
        """What others have counted; and of that what those have that are gone."""
        mine = self._field(subject)
        parts: list[Contribution] = []
        gone: list[_Field] = []
        for field, octets in zip(entry[1::2], entry[2::2], strict=True):
            if field == mine:
                continue
            try:
                part = decode(octets, self._tag, self._layout.size, self._wall())
            except Malformed:
                self.refused += 1
                continue
            parts.append(part)
            name = field.partition(b".")[0]
            if field == _GONE or name not in alive or name == self._replica:
                gone.append((field, octets, part))
        return parts, gone

    def _fold(self, subject: str, gone: Sequence[_Field]) -> None:
        folded = encode(together([part for _, _, part in gone], self._decay), self._tag)
        same = [(field, hashlib.sha1(octets).hexdigest().encode()) for field, octets, _ in gone]  # noqa: S324 - which field it is, of those who may write
        self._folds.append((subject, folded, same))


def _of(profile: Profile) -> Contribution:
    return Contribution(
        profile.counters,
        profile.asked,
        profile.time,
        profile.first,
        profile.last,
        profile.queries,
    )


def _words(
    writes: Sequence[tuple[str, bytes, bytes]],
    folds: Sequence[tuple[str, bytes, list[tuple[bytes, bytes]]]],
) -> Iterator[Word]:
    yield len(writes)
    for subject, field, octets in writes:
        yield from (_called(subject), field, octets)
    for subject, octets, same in folds:
        yield from (_called(subject), octets, len(same))
        for field, digest in same:
            yield from (field, digest)


def _called(subject: str) -> bytes:
    return subject.encode(errors="surrogateescape")
