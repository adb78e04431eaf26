"""Signed requests over real gRPC: once, whoever asks how often, and with their own body."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from extproc.content_digest import EMPTY
from extproc.credentials import Once, Signature, Signatures, SigningKey
from extproc.credentials.signature_key import VerifyingKey, checked_by
from extproc.errors import StoreUnavailable
from extproc.events import CheckedRequest, Peer, RequestBody, RequestHeaders
from extproc.rollout import Rollout
from extproc.server.protobuf import AUTHZ, handover
from extproc.stores.memory_replays import MemoryReplays
from tests.credentials.signing import NOW, PRIVATE, public, signed
from tests.playbook import ASK, policy, rate, table
from tests.server.wire import Envoy, Sidecar, message, running

URL = "https://api.example/v1/chat/completions"
BURST = rate("burst", "principal", 2, 10)
CHECK = checked_by("ed25519", public(PRIVATE["ed25519"]))
assert CHECK is not None
KEYS = {"partner-1": VerifyingKey("acme", "ed25519", CHECK)}
LISTED = Signature({"partner-1": SigningKey("acme", "ed25519")})
PLAIN = table(
    policy(limits=(BURST,)),
    policy(route=("POST", "/v1/shadowed"), limits=(BURST,), shadow=True),
)
TABLE = replace(PLAIN, provers={"signed": Signatures(LISTED, KEYS, {"content-type"})})
LATER = NOW + 10
"""Long enough after the sidecar began."""


@pytest.fixture
def socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("s")


@pytest.fixture
async def wired(socket: Path) -> AsyncIterator[tuple[Sidecar, Envoy]]:
    async with running(socket, TABLE) as (sidecar, envoy):
        sidecar.wall.now = LATER
        yield sidecar, envoy


def asking(body: bytes | None = ASK, url: str = URL, **more: Any) -> CheckedRequest:
    return signed(body, url=url, created=LATER, **more)


def denied(response: CheckResponse) -> tuple[int, bytes]:
    assert response.status.code != 0
    found = response.denied_response
    return found.status.code, found.SerializeToString()


async def test_a_signed_request_hands_its_digest_over_and_loses_its_signature(
    wired: tuple[Sidecar, Envoy],
) -> None:
    _, envoy = wired
    request = asking()
    response = await envoy.check(request)
    assert response.status.code == 0
    removed = set(response.ok_response.headers_to_remove)
    assert removed >= {"signature", "signature-input", "content-digest"}
    sent = message(RequestHeaders(end=False), None)
    sent.metadata_context.filter_metadata[AUTHZ].CopyFrom(response.dynamic_metadata)
    found = handover(sent)
    assert found is not None
    assert found.digest == request.headers["content-digest"]
    assert found.principal == "sig:partner-1"


async def test_a_replay_is_answered_as_a_stranger_is_and_told_in_the_record(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    request = asking()
    assert (await envoy.check(request)).status.code == 0
    again = await envoy.check(request)
    stranger = await envoy.check(CheckedRequest("POST", "/", {}))
    assert denied(again) == denied(stranger)
    assert [name for name in again.dynamic_metadata.fields if name != "exchange"] == [
        name for name in stranger.dynamic_metadata.fields if name != "exchange"
    ]
    assert again.dynamic_metadata.fields["tenant"].string_value == ""
    assert sidecar.count("extproc_checks_total", outcome="replayed") == 1
    replayed, unknown = sidecar.recorded()
    assert (replayed["code"], replayed["principal"]) == ("replayed", "sig:partner-1")
    assert "principal" not in unknown


async def test_a_replay_of_a_tenant_for_whom_it_is_in_force_does_not_pass_as_a_strangers(
    socket: Path,
) -> None:
    tried = [Rollout("enforce", percent) for percent in (1, 99)]
    for on_trial in (False, True):
        rollout = next(each for each in tried if each.on_trial("acme") is on_trial)
        async with running(socket, replace(TABLE, rollout=rollout)) as (sidecar, envoy):
            sidecar.wall.now = LATER
            request = asking()
            assert (await envoy.check(request)).status.code == 0
            assert ((await envoy.check(request)).status.code == 0) is on_trial


async def test_of_many_replays_at_once_one_is_let_in(wired: tuple[Sidecar, Envoy]) -> None:
    request = asking()
    responses = await asyncio.gather(*(wired[1].check(request) for _ in range(50)))
    assert [response.status.code for response in responses].count(0) == 1


async def test_a_replay_spends_none_of_its_owners_limits(wired: tuple[Sidecar, Envoy]) -> None:
    _, envoy = wired
    request = asking()
    assert (await envoy.check(request)).status.code == 0
    for _ in range(20):
        assert denied(await envoy.check(request))[0] == 401
    assert (await envoy.check(asking(nonce="n2"))).status.code == 0
    assert denied(await envoy.check(asking(nonce="n3")))[0] == 429


async def test_in_the_shadow_a_replay_is_denied_and_a_limit_is_not(
    wired: tuple[Sidecar, Envoy],
) -> None:
    _, envoy = wired
    url = URL.replace("chat/completions", "shadowed")
    for number in range(5):
        assert (await envoy.check(asking(url=url, nonce=f"{number}"))).status.code == 0
    assert denied(await envoy.check(asking(url=url, nonce="0")))[0] == 401


class Counting(MemoryReplays):
    def __init__(self) -> None:
        super().__init__(began=0.0)
        self.asked = 0

    async def first(self, once: Once, *, now: float) -> bool:
        self.asked += 1
        return await super().first(once, now=now)


WRONG: dict[str, Callable[[], CheckedRequest]] = {
    "an unknown path": lambda: asking(url="https://api.example/v1/unknown"),
    "another media type": lambda: asking(headers={"content-type": "text/plain"}),
    "a query that nobody knows": lambda: asking(
        url=f"{URL}?a=b", covered=("@method", "@target-uri", "content-type")
    ),
    "a method that nobody knows": lambda: asking(method="PUT"),
    "an old signature": lambda: signed(ASK, url=URL, created=NOW - 90),
    "another key": lambda: asking(key=PRIVATE["ecdsa-p256-sha256"], algorithm="ecdsa-p256-sha256"),
    "no digest": lambda: asking(None),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_nonce_is_taken_only_of_a_request_that_is_otherwise_valid(
    socket: Path, what: str
) -> None:
    async with running(socket, TABLE) as (sidecar, envoy):
        sidecar.wall.now = LATER
        replays = sidecar.authorization._replays = Counting()
        assert denied(await envoy.check(WRONG[what]()))[0] in {401, 404, 405, 415}
        assert replays.asked == 0
        assert (await envoy.check(asking())).status.code == 0
        assert replays.asked == 1


@pytest.mark.parametrize("path", ["chat/completions", "shadowed"])
async def test_a_store_that_cannot_say_denies(socket: Path, path: str) -> None:
    class Down:
        async def first(self, once: Once, *, now: float) -> bool:
            raise StoreUnavailable("down")

    async with running(socket, TABLE) as (sidecar, envoy):
        sidecar.wall.now = LATER
        sidecar.authorization._replays = Down()
        url = URL.replace("chat/completions", path)
        assert denied(await envoy.check(asking(url=url)))[0] == 503
        assert sidecar.count("extproc_checks_total", outcome="store_unavailable") == 1


async def test_a_signature_from_before_the_sidecar_began_may_be_a_replay(socket: Path) -> None:
    async with running(socket, TABLE) as (_, envoy):
        assert denied(await envoy.check(signed(ASK, url=URL, created=NOW)))[0] == 503


async def test_a_body_other_than_the_signed_one_is_refused(wired: tuple[Sidecar, Envoy]) -> None:
    sidecar, envoy = wired
    response = await envoy.check(asking())
    stream = envoy.stream(None)
    for event in (RequestHeaders(end=False), RequestBody(ASK + b" ", end=True)):
        sent = message(event, None)
        sent.metadata_context.filter_metadata[AUTHZ].CopyFrom(response.dynamic_metadata)
        await stream.write(sent)
    answer = (await stream.receive()).immediate_response
    assert (answer.status.code, answer.details) == (401, "extproc_body_not_as_signed")
    assert await stream.end() is grpc.StatusCode.OK
    [record] = sidecar.recorded()
    assert (record["outcome"], record["principal"]) == ("body_not_as_signed", "sig:partner-1")


async def test_in_the_shadow_a_body_other_than_the_signed_one_is_cut_off(
    wired: tuple[Sidecar, Envoy],
) -> None:
    _, envoy = wired
    response = await envoy.check(asking(url=URL.replace("chat/completions", "shadowed")))
    stream = envoy.stream(None)
    for event in (RequestHeaders(end=False), RequestBody(ASK + b" ", end=True)):
        sent = message(event, None)
        sent.metadata_context.filter_metadata[AUTHZ].CopyFrom(response.dynamic_metadata)
        await stream.write(sent)
    assert (await stream.receive()).HasField("request_headers")
    assert await stream.drained() is not grpc.StatusCode.OK


def test_without_a_body_the_digest_of_nothing_is_handed_over() -> None:
    proof = TABLE.provers["signed"].prove(
        signed(None, method="GET", headers={}, covered=("@method", "@authority", "@path")), NOW
    )
    assert getattr(proof, "digest", None) == EMPTY


async def test_a_denial_is_recorded_with_where_it_came_from_but_not_by_its_address(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        await envoy.check(CheckedRequest("POST", "/", {}, Peer(address)))
    first, again, other = (record["client"] for record in sidecar.recorded())
    assert first == again != other
    assert len(bytes.fromhex(first)) == 8
