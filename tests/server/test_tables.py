"""One policy is in force at a time, and every exchange has one for its life."""

import asyncio
import weakref
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from extproc.config import compile_table, load
from extproc.config.granted import Granted
from extproc.credentials import ApiKeys, Introspection, Introspections, Needed
from extproc.errors import IssuerUnavailable, ProtocolError
from extproc.events import CheckedRequest, RequestBody, RequestHeaders, ResponseBody
from extproc.policy import PolicyTable
from extproc.server.protobuf import Handover
from extproc.server.tables import KEPT, InForce, Tables, let_go, nobody
from tests.config import scale
from tests.playbook import ANSWER, ASK, HMAC_KEY, headers, policy, table
from tests.server.wire import ADMITTED, running

ASKED = (RequestHeaders(end=False), RequestBody(ASK, end=True))
TOKEN = "opaque-token-0123456789"


def of(version: str) -> PolicyTable:
    return replace(table(policy()), version=version)


async def test_the_last_one_is_in_force() -> None:
    tables = Tables(of("a"))
    before = tables.swap(of("b"))
    assert (before.table.version, tables.now.table.version) == ("a", "b")
    with pytest.raises(IssuerUnavailable):
        await tables.now.ask(Needed("tokens", TOKEN))


async def test_the_one_before_is_known_for_what_it_admitted() -> None:
    tables = Tables(of("a"))
    tables.swap(of("b"))
    assert tables.of("b") is tables.now.table
    assert tables.of("a").policies.keys() == of("a").policies.keys()
    assert not tables.of("a").provers, "it admits nobody any more"


async def test_what_is_not_known_serves_nothing() -> None:
    tables = Tables(of("a"))
    for version in ("", "b", "A"):
        with pytest.raises(ProtocolError):
            tables.of(version)


async def test_as_many_are_known_as_there_is_room_for() -> None:
    tables = Tables(of("0"))
    for number in range(1, KEPT + 2):
        tables.swap(of(f"{number}"))
    with pytest.raises(ProtocolError):
        tables.of("0")
    assert [tables.of(f"{number}").version for number in range(1, KEPT + 2)]


async def test_one_is_forgotten_when_nothing_can_come_for_it() -> None:
    first, second = of("a"), of("a")
    tables = Tables(first)
    tables.swap(of("b"))
    tables.swap(second)
    tables.swap(of("c"))
    tables.forget(first)
    assert tables.of("a").policies is second.policies, "there and back again: it is another one"
    tables.forget(second)
    tables.forget(second)
    with pytest.raises(ProtocolError):
        tables.of("a")


async def test_it_is_in_use_while_anybody_decides_by_it() -> None:
    in_force = InForce(of("a"))
    await in_force.unused()
    with in_force:
        waiting = asyncio.create_task(in_force.unused())
        with in_force:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
    with in_force:  # somebody who came before anybody noticed
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_what_was_made_for_one_is_let_go_of(tmp_path: Path) -> None:
    scale.write_keys(tmp_path, 3, 1)
    made = compile_table(load(scale.write_policy(tmp_path, 3)), scale.ENVIRON)
    assert made.policies["tenant-00000", "POST /v1/embeddings"].tenant == "tenant-00000"
    prover = made.provers["keys"]
    assert isinstance(prover, ApiKeys)
    assert isinstance(made.policies, Granted)
    let_go(made)
    assert (len(prover._issued), len(made.policies._made)) == (0, 0)
    let_go(replace(made, provers={"none": Introspections("n", SETTINGS, "s", HMAC_KEY, [])}))
    let_go(table(policy()))


async def test_a_table_needs_no_search_for_garbage_to_be_gone(tmp_path: Path) -> None:
    scale.write_keys(tmp_path, 3, 1)
    made = compile_table(load(scale.write_policy(tmp_path, 3)), scale.ENVIRON)
    assert made.policies["tenant-00000", "POST /v1/embeddings"].tenant == "tenant-00000"
    gone = weakref.ref(made), weakref.ref(made.provers["keys"])
    del made
    assert [each() for each in gone] == [None, None]


# On the wire.

SETTINGS = Introspection(
    issuer="https://i.example", url="https://i.example/", client_id="us", client_secret="env:S"
)


@pytest.fixture
def socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Short: the name of a Unix socket has 107 bytes at most."""
    monkeypatch.chdir(tmp_path)
    return Path("s")


async def test_an_exchange_is_finished_by_the_policy_that_admitted_it(socket: Path) -> None:
    """Its stream opens when two others have been put in force, and ends when all are forgotten."""
    first = replace(table(policy()), version="v1")
    async with running(socket, first) as (sidecar, envoy):
        blind = policy(kinds={"usage": ()})
        sidecar.tables.swap(replace(table(blind), version="v2"))
        sidecar.tables.swap(replace(table(), version="v3"))
        stream = await envoy.stream(ADMITTED).send(*ASKED)
        assert (await stream.receive()).HasField("request_headers")
        sidecar.tables.forget(first)
        await stream.send(headers(), ResponseBody(ANSWER, end=True))
        answer = await stream.receive()
        assert answer.response_headers.response.body_mutation.body == ANSWER
        assert await stream.end() is grpc.StatusCode.OK


async def test_one_of_a_policy_that_nobody_knows_is_refused(socket: Path) -> None:
    async with running(socket, table(policy())) as (_, envoy):
        unknown = replace(ADMITTED, config="v0")
        for event in (RequestHeaders(end=False), headers(status=401)):
            stream = await envoy.stream(unknown).send(event)
            assert await stream.status() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_denial_has_the_words_of_the_policy_that_denied(socket: Path) -> None:
    """Its route is gone from the policy that is in force when it passes."""
    known = table(policy(route=("POST", "/a")))
    denied = Handover("e", "v1", "POST /a", "acme", refusal="model_not_found")
    async with running(socket, known) as (sidecar, envoy):
        sidecar.tables.swap(replace(table(), version="v2"))
        stream = await envoy.stream(denied).send(headers(status=404))
        answer = (await stream.receive()).immediate_response
        assert answer.status.code == 404
        assert await stream.end() is grpc.StatusCode.OK


async def test_a_request_is_decided_by_one_policy_though_its_issuer_takes_long(
    socket: Path,
) -> None:
    """Asked about, it is another policy's when the answer comes, and still its own."""
    opaque = Introspections("tokens", SETTINGS, "s", HMAC_KEY, ["acme"])
    first = replace(
        table(policy(), tenants={"jwt:https://i.example|a": "acme"}), provers={"tokens": opaque}
    )
    asked, answered = asyncio.Event(), asyncio.Event()

    async def ask(needed: Needed) -> None:
        asked.set()
        await answered.wait()
        opaque.learn(needed.token, {"active": True, "sub": "a"}, 1_800_000_000.0)

    async with running(socket, first, ask=ask) as (sidecar, envoy):
        sent = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        request = CheckedRequest("POST", "/v1/chat/completions", sent)
        checking = asyncio.create_task(envoy.check(request))
        await asked.wait()
        before = sidecar.tables.swap(replace(table(), version="v2"), nobody)
        waiting = asyncio.create_task(before.unused())
        await asyncio.sleep(0)
        assert not waiting.done(), "its issuers are still asked"
        answered.set()
        response = await checking
        await waiting
        assert response.status.code == 0
        assert response.dynamic_metadata.fields["config"].string_value == "v1"
        assert (await envoy.check(request)).denied_response.status.code == 401
