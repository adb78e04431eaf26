"""The sidecar process: starts what Envoy and the probes connect to, and drains it.

Rule of the drain: on SIGTERM health turns NOT_SERVING; after ``notice`` seconds no new stream is
taken, running exchanges finish within ``drain`` seconds, and what then still runs is cancelled,
which Envoy sees as an error and never as a clean end.  A further signal cuts the wait short.
"""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc
import uvloop
from msgspec import Struct

from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import (
    ProcessingRequest,
    ProcessingResponse,
)
from extproc._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from extproc.config import AuditPlan, Config, DetectionPlan, Loaded
from extproc.policy import PolicyTable
from extproc.server.acts import Acts
from extproc.server.admin import Admin
from extproc.server.audited import Auditor
from extproc.server.authz import Authorization
from extproc.server.control import Control
from extproc.server.detection.calibrated import calibrated
from extproc.server.detection.listeners import Listeners
from extproc.server.detection.metrics import show, show_shared
from extproc.server.detection.opened import OpenedWatcher, open_watcher
from extproc.server.detection.watcher import Watcher
from extproc.server.health import Health
from extproc.server.issuers import Issuers
from extproc.server.listening import listen, unusable
from extproc.server.loop_lag import LoopLag
from extproc.server.processor import ExternalProcessor
from extproc.server.record import Records
from extproc.server.reloader import Reloader
from extproc.server.reserver import Reserver
from extproc.server.store_log import StoreLog
from extproc.server.store_telemetry import watch
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry
from extproc.server.tracing import Tracing
from extproc.stores.opened import Opened, open_store

if TYPE_CHECKING:
    from extproc.server.audit_log import AuditLog
    from extproc.server.vault import Vault

RECEIVE_LIMIT = 64 << 20
"""Bytes of one gRPC message: Envoy's pieces of a body are 1 to 2 MiB, grpcio's default is 4 MiB."""

SETTLING: Final = 5.0
"""Seconds that a sidecar which ends waits for its store to be told what exchanges cost."""

_OPTIONS = [
    ("grpc.max_receive_message_length", RECEIVE_LIMIT),
    ("grpc.so_reuseport", 0),  # a second sidecar on one port would take half of the requests
    ("grpc.max_metadata_size", 64 << 10),
    # grpc cancels calls at random when a thousand wait to be taken up: less than a burst of ours.
    ("grpc.server.max_pending_requests", 100_000),
    ("grpc.server.max_pending_requests_hard_limit", 100_000),
    # Envoy pings every two seconds, by which it notices a frozen sidecar: FULL_DUPLEX_STREAMED has
    # no other timeout.  grpc would take that for an attack and close the connection.
    ("grpc.http2.min_ping_interval_without_data_ms", 500),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 500),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
]


class Beside(Struct, frozen=True):
    """What is told of exchanges."""

    records: Records
    log: "AuditLog | None"
    vault: "Vault | None"
    opened: OpenedWatcher | None
    listeners: Listeners | None
    tracing: Tracing

    async def start(self, plan: AuditPlan | None, detection: DetectionPlan | None) -> None:
        if self.opened is not None and self.listeners is not None and detection is not None:
            await self.listeners.start(detection.receivers, plan.path if plan is not None else None)
            await self.opened.start()

    async def close(self) -> None:
        if self.opened is not None and self.listeners is not None:
            await self.opened.close()
            await self.listeners.close()

    @property
    def watcher(self) -> Watcher | None:
        return self.opened.watcher if self.opened is not None else None


def run(
    config: Config,
    table: PolicyTable,
    plan: AuditPlan | None = None,
    detection: DetectionPlan | None = None,
) -> None:
    """Serve until a signal.  Raise ConfigError where an address cannot be used."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(config, table, plan, detection))


async def serve(
    config: Config,
    table: PolicyTable,
    plan: AuditPlan | None = None,
    detection: DetectionPlan | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    signals, health, telemetry, records = _signals(), Health(), Telemetry(), Records()
    store, reach = _store(config, records)
    issuers, started = Issuers(table, records), Loaded(config, table, plan, detection)
    tables, log = Tables(table, issuers.ask), _audit_log(plan, telemetry, records)
    beside = _beside(started, tables, telemetry, records, log)
    server, processor, reserver, acts = _sidecar(config, tables, telemetry, beside, store)
    reloader = Reloader(
        started, tables, issuers, telemetry, records, processor.bound, auditor=_auditor(log)
    )
    probes, serving = _health_server(config, health), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloader.hurry)
    admin = _admin(config, telemetry, serving.is_set, reloader)
    control = await _control(config, acts, records)
    await asyncio.gather(issuers.start(), store.start(), beside.start(plan, detection))
    await server.start()
    await probes.start()
    health.serve(serving=True)
    serving.set()
    _freeze()
    records.add("serving", {"listen": config.listen, "config": table.version})
    async with _reloading(reloader, control, telemetry, reach.run(store.redis)):
        await signals.acquire()
        serving.clear()
        health.serve(serving=False)
    records.add("draining", {"seconds": reloader.drain})
    await _drain(server, reloader, signals, reserver)
    await asyncio.gather(beside.close(), store.close(), probes.stop(grace=0))
    await reloader.close()
    _close(admin, beside.vault, log, beside.tracing)
    records.add("stopped", {})
    records.close()


def _store(config: Config, records: Records) -> tuple[Opened, StoreLog]:
    """The store, and what tells of its coming and going."""
    reach = StoreLog(config.settings.store, records)
    return open_store(config, os.environ, reach.changed), reach


def _close(*opened: "Admin | Vault | AuditLog | Tracing | None") -> None:
    for each in opened:
        if each is not None:
            each.close()


def _freeze() -> None:
    """What has been loaded stays: no need to look at it at every collection, nor now, which would
    hold up the first requests; hardly one in a hundred objects is garbage.
    """
    gc.freeze()
    gc.enable()


@asynccontextmanager
async def _reloading(
    reloader: Reloader,
    control: Control | None,
    telemetry: Telemetry,
    more: Coroutine[Any, Any, None],
) -> AsyncIterator[None]:
    """What changes is put in force, and what an operator asks is done; a sidecar that drains
    changes nothing any more.
    """
    lag = LoopLag()
    telemetry.lag.set_function(lag.take)
    running = {asyncio.create_task(each) for each in (reloader.run(), lag.run(), more)}
    yield
    if control is not None:
        await control.close()
    for task in running:
        task.cancel()
    await asyncio.wait(running)


def _audit_log(plan: AuditPlan | None, telemetry: Telemetry, records: Records) -> "AuditLog | None":
    if plan is None:
        return None
    from extproc.server.audit_log import AuditLog  # noqa: PLC0415 - cryptography, for those who sign

    log = AuditLog(plan, records=records)
    telemetry.lost_audit_records.set_function(lambda: log.lost)
    telemetry.audit_failing.set_function(lambda: log.failing)
    return log


def _vault(plan: AuditPlan | None, log: "AuditLog | None", telemetry: Telemetry) -> "Vault | None":
    if plan is None or plan.vault is None or log is None:
        return None
    from extproc.server.vault import Vault  # noqa: PLC0415 - cryptography, for those who seal

    vault = Vault(plan.vault, log.hand)
    telemetry.lost_marks.set_function(lambda: vault.lost)
    telemetry.vault_entries.set_function(lambda: vault.entries)
    return vault


def _beside(
    loaded: Loaded,
    tables: Tables,
    telemetry: Telemetry,
    records: Records,
    log: "AuditLog | None",
) -> Beside:
    """Raise ConfigError where what the file names cannot be used."""
    detection, auditor = loaded.detection, _auditor(log)
    tracing, vault = Tracing(os.environ, records, telemetry), _vault(loaded.plan, log, telemetry)
    if detection is None:
        return Beside(records, log, vault, None, None, tracing)
    found = calibrated(detection, tables.now.table.key)
    opened = open_watcher(loaded.config, found, tables, records)
    show(opened.watcher, telemetry.registry)
    if opened.shared is not None:
        show_shared(opened.shared, telemetry.registry)
    listeners = Listeners(
        opened.watcher,
        tables,
        records,
        telemetry.registry,
        auditor,
        found.settings,
    )
    return Beside(records, log, vault, opened, listeners, tracing)


def _auditor(log: "AuditLog | None") -> Auditor | None:
    return Auditor(log) if log is not None else None


async def _control(config: Config, acts: Acts, records: Records) -> Control | None:
    if config.control is None:
        return None
    control = Control(Path(config.control.removeprefix("unix://")), acts, records)
    await control.start()
    return control


def _sidecar(
    config: Config,
    tables: Tables,
    telemetry: Telemetry,
    beside: Beside,
    store: Opened,
) -> tuple[grpc.aio.Server, ExternalProcessor, Reserver, Acts]:
    records, watcher, auditor = beside.records, beside.watcher, _auditor(beside.log)
    traces = beside.tracing.traces
    authorization = Authorization(
        tables,
        store.counters,
        telemetry,
        records,
        replays=store.replays,
        auditor=auditor,
        watcher=watcher,
        traces=traces,
    )
    reserver = Reserver(store.counters, store.replays, telemetry, memos=store.memos)
    processor = ExternalProcessor(
        tables,
        telemetry,
        records,
        reserver=reserver,
        auditor=auditor,
        watcher=watcher,
        vault=beside.vault,
        traces=traces,
    )
    watch(store, telemetry.registry)
    telemetry.held.set_function(lambda: processor.held.total)
    telemetry.lost_records.set_function(lambda: records.lost)
    server = _server(config, authorization, processor)
    acts = Acts(tables, store.accounts, telemetry, records, auditor)
    if beside.listeners is not None:
        acts.suspects = beside.listeners.suspects
    return server, processor, reserver, acts


def _server(
    config: Config, authorization: Authorization, processor: ExternalProcessor
) -> grpc.aio.Server:
    """Of what Envoy talks to."""
    server = grpc.aio.server(options=_OPTIONS)
    server.add_generic_rpc_handlers(
        (
            _unary("envoy.service.auth.v3.Authorization", "Check", authorization.check),
            _duplex("envoy.service.ext_proc.v3.ExternalProcessor", "Process", processor.process),
        )
    )
    listen(server, "listen", config.listen)
    return server


def _unary(
    service: str, method: str, handler: Callable[[CheckRequest, Any], Awaitable[CheckResponse]]
) -> "grpc.GenericRpcHandler[Any, Any]":
    call = grpc.unary_unary_rpc_method_handler(
        handler, CheckRequest.FromString, CheckResponse.SerializeToString
    )
    return grpc.method_handlers_generic_handler(service, {method: call})


def _duplex(
    service: str, method: str, handler: Callable[[Any, Any], Awaitable[None]]
) -> "grpc.GenericRpcHandler[Any, Any]":
    call = grpc.stream_stream_rpc_method_handler(
        handler, ProcessingRequest.FromString, ProcessingResponse.SerializeToString
    )
    return grpc.method_handlers_generic_handler(service, {method: call})


def _health_server(config: Config, health: Health) -> grpc.aio.Server:
    """On a port and a server of its own: it still answers while the other one drains."""
    server = grpc.aio.server(options=_OPTIONS)
    check = grpc.unary_unary_rpc_method_handler(
        health.check, HealthCheckRequest.FromString, HealthCheckResponse.SerializeToString
    )
    watch = grpc.unary_stream_rpc_method_handler(
        health.watch, HealthCheckRequest.FromString, HealthCheckResponse.SerializeToString
    )
    calls = {"Check": check, "Watch": watch}
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("grpc.health.v1.Health", calls),)
    )
    listen(server, "health", config.health)
    return server


def _admin(
    config: Config, telemetry: Telemetry, ready: Callable[[], bool], reloader: Reloader
) -> Admin | None:
    if config.admin is None:
        return None
    host, _, port = config.admin.rpartition(":")
    try:
        return Admin(host.strip("[]"), int(port), telemetry, ready, reloader.told, reloader.status)
    except OSError as error:
        raise unusable("admin", config.admin, error) from error


def _signals() -> asyncio.Semaphore:
    """Released once by every SIGTERM and SIGINT from now on."""
    received = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received.release)
    return received


async def _drain(
    server: grpc.aio.Server, reloader: Reloader, signals: asyncio.Semaphore, reserver: Reserver
) -> None:
    """Serve on while an Envoy with several sidecars turns to another; then take no more streams
    and wait for those that run.  A further signal cuts a wait short.
    """
    with suppress(TimeoutError):
        await asyncio.wait_for(signals.acquire(), reloader.notice)
    stopping = asyncio.ensure_future(server.stop(grace=reloader.drain))
    hurried = asyncio.ensure_future(signals.acquire())
    await asyncio.wait({stopping, hurried}, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not stopping.done():
        await server.stop(grace=0)
    await stopping
    await reserver.settled(SETTLING)
