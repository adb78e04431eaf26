"""The stores that a policy file asks for."""

import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from extproc.config import Config
from extproc.config.secret import resolve
from extproc.config.stores import MemoryStore, RedisStore
from extproc.credentials import Replays
from extproc.detectors.profile import Layout
from extproc.limits import Accounts, Counters, Memos
from extproc.stores.leased import Leased
from extproc.stores.local_share import LocalShare
from extproc.stores.memory import MemoryCounters
from extproc.stores.memory_memos import MemoryMemos
from extproc.stores.memory_replays import MemoryReplays
from extproc.stores.profiles import Profiles
from extproc.stores.redis.accounts import RedisAccounts
from extproc.stores.redis.address import Address, address
from extproc.stores.redis.counters import Shape
from extproc.stores.redis.link import Access
from extproc.stores.redis.memos import RedisMemos
from extproc.stores.redis.profiles import RedisProfiles
from extproc.stores.redis.replays import RedisReplays
from extproc.stores.redis.servers import Cluster, Servers, Single
from extproc.units import seconds

_REMEDY: Final = "write redis://USER:PASSWORD@HOST:PORT, or rediss:// for TLS"


class Opened(Struct, frozen=True):
    """What a server needs of a store: started in its event loop, closed when it ends."""

    counters: Counters
    accounts: Accounts
    replays: Replays
    memos: Memos
    redis: RedisAccounts | None = None
    """The same as ``accounts``, with what it counted about itself; None in memory."""
    local: LocalShare | None = None
    """What ``counters`` are, or lease from, where each replica counts for itself while Redis is
    away."""
    starts: tuple[Callable[[], Awaitable[None]], ...] = ()
    closes: tuple[Callable[[], Awaitable[None]], ...] = ()

    async def start(self) -> None:
        for start in self.starts:
            await start()

    async def close(self) -> None:
        for close in reversed(self.closes):
            await close()


def _nobody() -> None:
    """Nobody is told."""


def open_store(
    config: Config, environ: Mapping[str, str], changed: Callable[[], None] = _nobody
) -> Opened:
    """Raise ConfigError where what it names cannot be used; nobody is connected to before start.

    ``changed`` is called whenever a connection to it is made, is lost, or could not be made.
    """
    settings = config.settings.store
    match settings:
        case MemoryStore():
            return _memory(settings)
        case RedisStore():
            return _redis(config, settings, _servers(config, settings, environ, changed))


def open_profiles(
    config: Config,
    environ: Mapping[str, str],
    own: Profiles,
    layout: Layout,
    half_life: float,
    wall: Callable[[], float],
) -> RedisProfiles | None:
    """None where nobody shares them.  Over connections of its own: it holds up no request."""
    settings = config.settings.store
    if isinstance(settings, MemoryStore):
        return None
    servers = _servers(config, settings, environ)
    return RedisProfiles(own, layout, half_life, servers, settings.prefix, wall=wall)


def _memory(settings: MemoryStore) -> Opened:
    lease = seconds(settings.lease)
    counters = MemoryCounters(settings.max_counters, settings.share, lease=lease)
    began = time.time()  # noqa: TID251 - when this process began
    return Opened(
        counters, counters, MemoryReplays(settings.max_nonces, began=began), MemoryMemos()
    )


def _redis(config: Config, settings: RedisStore, servers: Servers) -> Opened:
    shape = Shape(
        prefix=settings.prefix,
        share=settings.share,
        reservations=settings.reservations,
        lease=seconds(settings.lease),
        wait=seconds(settings.wait),
    )
    redis, replays = RedisAccounts(servers, shape), RedisReplays(servers, shape)
    memos = RedisMemos(servers, shape)
    starts, closes = (redis.start, replays.start), (redis.close,)
    if settings.on_failure == "deny":
        opened = Opened(redis, redis, replays, memos, redis, None, starts, closes)
        return _leased(config, settings, opened)
    here = MemoryCounters(share=settings.share, lease=shape.lease)
    local = LocalShare(redis, here, settings.on_failure.local, redis.healing.frozen)
    opened = Opened(
        local, redis, replays, memos, redis, local, (*starts, local.start), (*closes, local.close)
    )
    return _leased(config, settings, opened)


def _leased(config: Config, settings: RedisStore, opened: Opened) -> Opened:
    """What it has opened, in slices where it says so."""
    slices = settings.slices
    if slices is None:
        return opened
    lease, held = seconds(settings.lease), seconds(slices.time)
    if lease < 2 * held:
        wrong = f"a slice is held for {slices.time}, and a lease ends after {settings.lease}"
        remedy = "write a lease at least twice as long"
        raise config.document.fault(("store", "slices", "for"), wrong, remedy)
    leased = Leased(opened.counters, share=slices.share, seconds=held, lease=lease)
    starts, closes = (*opened.starts, leased.start), (*opened.closes, leased.close)
    return structs.replace(opened, counters=leased, starts=starts, closes=closes)


def _servers(
    config: Config,
    settings: RedisStore,
    environ: Mapping[str, str],
    changed: Callable[[], None] = _nobody,
) -> Servers:
    # Aside: the policy is the same whatever password its store has.
    document = replace(config.document, files=config.document.files.aside())
    place = ("store", "url")
    url = resolve(document, place, settings.url, environ, 1, _REMEDY)
    try:
        found = address(url.decode())
    except ValueError as error:  # what decode says holds the URL, what address says does not
        why = "it is no text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise document.fault(place, f"the URL cannot be used: {why}", _REMEDY) from None
    access = Access(found, seconds(settings.wait), _tls(config, settings, found), changed)
    if settings.topology == "cluster":
        return Cluster(access)
    if settings.topology == "single":
        return Single(access)
    password = ""
    if settings.sentinel_password is not None:
        place, reference = ("store", "sentinel_password"), settings.sentinel_password
        password = resolve(document, place, reference, environ, 1, "write it there").decode()
    return Single(access, settings.master, password)


def _tls(config: Config, settings: RedisStore, found: Address) -> ssl.SSLContext | None:
    """TLS 1.2 or later, with the server's name checked."""
    if not found.tls:
        return None
    document = config.document
    ca = _file(config, "ca", settings.ca)
    try:
        context = ssl.create_default_context(cafile=ca)
        if settings.certificate is not None:
            certificate = _file(config, "certificate", settings.certificate)
            assert certificate is not None
            context.load_cert_chain(certificate, _file(config, "key", settings.key))
    except OSError as error:  # SSLError is one
        wrong = f"its certificates cannot be used ({error.strerror or 'TLS'})"
        remedy = "name files of certificates and keys in PEM"
        raise document.fault(("store",), wrong, remedy) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _file(config: Config, name: str, path: str | None) -> Path | None:
    return None if path is None else config.document.folder(("store", name)) / path
