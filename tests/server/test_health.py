import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from extproc._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from extproc.server import app
from extproc.server.health import SERVICES, Health

SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING
UNKNOWN = HealthCheckResponse.SERVICE_UNKNOWN


@dataclass
class Probe:
    health: Health
    check: Any
    watch: Any


@dataclass
class Address:
    """What of the configuration the health server reads."""

    health: str


@pytest.fixture
async def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Probe]:
    monkeypatch.chdir(tmp_path)
    health = Health()
    server = app._health_server(Address("unix://h"), health)  # type: ignore[arg-type]
    await server.start()
    async with grpc.aio.insecure_channel("unix:h") as channel:
        coding = (HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString)
        yield Probe(
            health,
            channel.unary_unary("/grpc.health.v1.Health/Check", *coding),
            channel.unary_stream("/grpc.health.v1.Health/Watch", *coding),
        )
    await server.stop(grace=0)


async def test_it_serves_only_when_told_so(probe: Probe) -> None:
    for service in SERVICES:
        for serving, status in ((False, NOT_SERVING), (True, SERVING), (False, NOT_SERVING)):
            probe.health.serve(serving=serving)
            found = await probe.check(HealthCheckRequest(service=service), timeout=10)
            assert found.status == status


async def test_nothing_serves_at_first(probe: Probe) -> None:
    assert (await probe.check(HealthCheckRequest(), timeout=10)).status == NOT_SERVING


async def test_it_lives_whether_it_serves_or_not(probe: Probe) -> None:
    watching = probe.watch(HealthCheckRequest(service="liveness"), timeout=10)
    for serving in (False, True, False):
        probe.health.serve(serving=serving)
        found = await probe.check(HealthCheckRequest(service="liveness"), timeout=10)
        assert found.status == (await watching.read()).status == SERVING
    watching.cancel()


async def test_an_unknown_service_is_not_found(probe: Probe) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await probe.check(HealthCheckRequest(service="envoy.service.auth.v2"), timeout=10)
    assert error.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_watcher_hears_of_every_change(probe: Probe) -> None:
    watching = probe.watch(HealthCheckRequest(), timeout=10)
    assert (await watching.read()).status == NOT_SERVING
    for serving, status in ((True, SERVING), (False, NOT_SERVING)):
        probe.health.serve(serving=serving)
        assert (await watching.read()).status == status
    watching.cancel()


async def test_who_watches_an_unknown_service_hears_that_it_is_unknown(probe: Probe) -> None:
    watching = probe.watch(HealthCheckRequest(service="x"), timeout=10)
    assert (await watching.read()).status == UNKNOWN
    watching.cancel()


async def test_many_watchers_hear_of_one_change(probe: Probe) -> None:
    watching = [probe.watch(HealthCheckRequest(), timeout=10) for _ in range(20)]
    await asyncio.gather(*(one.read() for one in watching))
    probe.health.serve(serving=True)
    found = await asyncio.gather(*(one.read() for one in watching))
    assert {one.status for one in found} == {SERVING}
    for one in watching:
        one.cancel()
