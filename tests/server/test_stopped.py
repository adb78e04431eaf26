"""A tenant that an operator has stopped: nothing of it gets through, whatever counts it or not."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest
from extproc.accounts.messages import Done, Freeze, Thaw
from extproc.errors import StoreUnavailable
from extproc.escalation import NOBODY, Case
from extproc.events import CheckedRequest, RequestBody, RequestHeaders
from extproc.limits import SECOND, Calendar, Charge, Limit, Periods, Rate, Refused, Taken
from extproc.policy import Policy
from extproc.rollout import Rollout
from extproc.route import Route
from extproc.server.act_records import Peer
from extproc.server.acts import Acts
from extproc.server.protobuf import AUTHZ, handover
from extproc.stores.memory import MemoryCounters
from tests.playbook import ASK, policy, rate, table
from tests.server.test_authz import KEY, OTHER_KEY, principal
from tests.server.wire import Envoy, Sidecar, running

DAILY = Limit(Calendar("daily/day", 10**9, Periods("day")), "credits", ("tenant",), budget=True)
EVERYBODY = Limit(Rate("all/1s", 10**6, SECOND), "requests", ("route",), shared=True)
OTHER_MODELS = msgspec.structs.replace(DAILY, models=("x-*",))

POLICIES = {
    "/v1/limited": policy(limits=(rate("burst", "principal", 1000, 1),)),
    "/v1/free": policy(),
    "/v1/shared": policy(limits=(EVERYBODY,)),
    "/v1/budget": policy(reserved=(DAILY,)),
    "/v1/others": policy(reserved=(OTHER_MODELS,)),
    "/v1/shadowed": policy(shadow=True),
    "/v1/shadowed-budget": policy(reserved=(DAILY,), shadow=True),
}
READ_FIRST = {"/v1/budget", "/v1/others"}
"""What is stopped only once it has been read: it costs no question to the store before."""


def on(path: str, tenant: str) -> Policy:
    found = POLICIES[path]
    route = Route("POST", path, found.route.dialect)
    return replace(found, tenant=tenant, cohort=tenant, route=route, stoppable=True)


TABLE = table(
    *(on(path, tenant) for path in POLICIES for tenant in ("acme", "beta")),
    tenants={principal(KEY): "acme", principal(OTHER_KEY): "beta"},
)


class Failing(MemoryCounters):
    down = False

    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        if self.down:
            raise StoreUnavailable
        return await super().take(charges, final=final)


class Stopped:
    def __init__(self, sidecar: Sidecar, envoy: Envoy, store: MemoryCounters) -> None:
        self.sidecar, self.envoy = sidecar, envoy
        self._acts = Acts(sidecar.tables, store, sidecar.telemetry, sidecar.records, None)

    async def act(self, ask: Freeze | Thaw) -> None:
        assert isinstance(await self._acts.answer(ask, Peer(0, 0, "")), Done)

    async def status(self, path: str, key: str) -> int:
        """What the client gets; 0 where its request goes on to the model server."""
        fields = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        found = await self.envoy.check(CheckedRequest("POST", path, fields))
        if found.status.code:
            return int(found.denied_response.status.code)
        if path not in READ_FIRST:
            return 0
        message = ProcessingRequest()
        message.metadata_context.filter_metadata[AUTHZ].CopyFrom(found.dynamic_metadata)
        stream = self.envoy.stream(handover(message))
        await stream.send(RequestHeaders(end=False), RequestBody(ASK, end=True))
        answer = await stream.receive()
        stream.call.cancel()
        return int(answer.immediate_response.status.code)


@pytest.fixture
async def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stopped]:
    monkeypatch.chdir(tmp_path)
    store = MemoryCounters()
    async with running(Path("s"), TABLE, store) as (sidecar, envoy):
        yield Stopped(sidecar, envoy, store)


@pytest.mark.parametrize("path", POLICIES)
async def test_nothing_of_it_gets_through_until_it_is_let_in_again(
    stopped: Stopped, path: str
) -> None:
    assert await stopped.status(path, KEY) == 0
    await stopped.act(Freeze("acme"))
    for _ in range(3):
        assert await stopped.status(path, KEY) == 429
    assert await stopped.status(path, OTHER_KEY) == 0, "of another tenant"
    await stopped.act(Thaw("acme"))
    assert await stopped.status(path, KEY) == 0


async def test_what_an_operator_does_is_not_on_trial_though_all_else_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store, tried = Failing(), replace(TABLE, rollout=Rollout("shadow"))
    async with running(Path("s"), tried, store) as (sidecar, envoy):
        stopped = Stopped(sidecar, envoy, store)
        await stopped.act(Freeze("acme"))
        assert await stopped.status("/v1/shadowed", KEY) == 429
        assert await stopped.status("/v1/shadowed", OTHER_KEY) == 0
        for denied in ("/v1/nowhere", "/v1/free?x=1"):  # which pass, as all that is on trial does
            assert await stopped.status(denied, KEY) == 429
            assert await stopped.status(denied, OTHER_KEY) == 0
            assert await stopped.status(denied, "sk-of-nobody") == 0
        store.down = True
        assert await stopped.status("/v1/nowhere", KEY) == 0, "whether it is stopped is not known"


async def test_nor_is_what_an_operator_says_of_a_suspect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Said:
        def case(self, tenant: str, principal: str) -> Case:
            assert principal.startswith("key:")
            return Case(override="frozen") if tenant == "acme" else NOBODY

    monkeypatch.chdir(tmp_path)
    tried = replace(TABLE, rollout=Rollout("shadow"))
    async with running(Path("s"), tried, suspects=Said()) as (sidecar, envoy):
        stopped = Stopped(sidecar, envoy, MemoryCounters())
        for path in ("/v1/free", "/v1/nowhere"):
            assert await stopped.status(path, KEY) == 429
            assert await stopped.status(path, OTHER_KEY) == 0


async def test_the_record_alone_says_why(stopped: Stopped) -> None:
    await stopped.act(Freeze("acme"))
    await stopped.status("/v1/free", KEY)
    await stopped.status("/v1/budget", KEY)
    assert stopped.sidecar.count("extproc_checks_total", outcome="tenant_stopped") == 1
    found = stopped.sidecar.recorded()
    assert [line["code"] for line in found if line["message"] == "denied"] == ["tenant_stopped"]


async def test_what_is_there_to_be_stopped_is_no_limit_of_the_metrics(stopped: Stopped) -> None:
    await stopped.status("/v1/free", KEY)
    await stopped.status("/v1/others", KEY)
    assert stopped.sidecar.count("extproc_limits_total", limit="present", outcome="taken") == 0
