"""What an operator does takes effect through a real Envoy, with the next request."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from extproc.accounts.messages import Done, Freeze, Grant, Reset, Show, Shown, Thaw
from extproc.tenants.connection import Connection
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.upstream import Upstream, answering

PURSE = "budgets: [{name: purse, per: tenant, count: credits, max: 2, period: lifetime}]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tenants")


@pytest.fixture(scope="module")
def operated(scripted: Upstream, folder: Path) -> Iterator[LiveGateway]:
    def change(text: str) -> str:
        standard = "tiny-lm, minilm], fidelity: standard"
        assert standard in text
        text = text.replace(f"{standard}}}", f"{standard}, {PURSE}}}")
        return text.replace("drain: 10s", f"drain: 10s\ncontrol: unix://{folder}/c")

    with live_gateway(folder, scripted.port, policy=change) as gateway:
        yield gateway


@pytest.fixture
def control(operated: LiveGateway, folder: Path) -> Iterator[Connection]:
    with Connection(folder / "c") as connection:
        yield connection


def asked(gateway: LiveGateway, upstream: Upstream, tenant: str) -> httpx.Response:
    upstream.script = answering(bodies.chat_answer())
    return post(gateway, bodies.CHAT, bodies.chat_request(), tenant)


@pytest.mark.parametrize("tenant", ["full", "shadow"])
def test_a_tenant_that_is_stopped_gets_nothing_and_others_all(
    operated: LiveGateway, upstream: Upstream, control: Connection, tenant: str
) -> None:
    assert asked(operated, upstream, tenant).status_code == 200
    control.ask(Freeze(tenant), Done)
    upstream.requests.clear()
    refused = asked(operated, upstream, tenant)
    assert refused.status_code == 429
    assert "stopped" not in refused.text
    assert not upstream.requests, "the model server must not see it"
    assert asked(operated, upstream, "labels").status_code == 200
    control.ask(Thaw(tenant), Done)
    assert asked(operated, upstream, tenant).status_code == 200


def test_a_budget_that_is_used_up_is_seen_granted_and_reset(
    operated: LiveGateway, upstream: Upstream, control: Connection
) -> None:
    for _ in range(2):
        assert asked(operated, upstream, "standard").status_code == 200
    assert asked(operated, upstream, "standard").status_code == 429
    [purse] = control.ask(Show("standard"), Shown).holder.counters
    assert (purse.limit, purse.spent, purse.left, purse.forecast) == ("purse", 2, 0, "exhausted")
    control.ask(Grant("standard", "purse", 1), Done)
    assert asked(operated, upstream, "standard").status_code == 200
    assert asked(operated, upstream, "standard").status_code == 429
    control.ask(Reset("standard", "purse"), Done)
    for _ in range(2):
        assert asked(operated, upstream, "standard").status_code == 200
    assert asked(operated, upstream, "standard").status_code == 429


def test_a_tenant_is_stopped_once_it_has_been_read_where_only_a_budget_counts_it(
    operated: LiveGateway, upstream: Upstream, control: Connection
) -> None:
    control.ask(Reset("standard", "purse"), Done)
    control.ask(Freeze("standard"), Done)
    upstream.requests.clear()
    assert asked(operated, upstream, "standard").status_code == 429
    assert not upstream.requests
    control.ask(Thaw("standard"), Done)
    assert asked(operated, upstream, "standard").status_code == 200
