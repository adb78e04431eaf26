"""What ``extproc explain`` says a client would see is what a client sees, through a real Envoy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from extproc.config import compile_table, load
from extproc.rehearsal.play import play
from extproc.rehearsal.request import Caller, assuming, checked
from tests.e2e import bodies
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.test_entitlement import CLASSES, REFUSED, SCHEMA, changed
from tests.e2e.upstream import Upstream, answering

NOW = 1_800_000_000.0
TRIED = [("POST", path, body) for path, body, _ in REFUSED] + [
    each for alike in CLASSES for each in alike
]


@pytest.fixture(scope="module")
def explaining(
    scripted: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LiveGateway, Path]]:
    directory: Path = tmp_path_factory.mktemp("explaining")
    (directory / "chat.json").write_bytes(orjson.dumps(SCHEMA))
    with live_gateway(directory, scripted.port, policy=changed) as gateway:
        yield gateway, directory / "policy.yaml"


def test_every_refusal_is_what_the_client_gets(
    explaining: tuple[LiveGateway, Path], upstream: Upstream
) -> None:
    gateway, path = explaining
    config = load(path)
    table = assuming(compile_table(config), config, Caller("standard"))
    headers = bodies.headers("standard")
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        for method, where, body in TRIED:
            told = play(table, checked(f"{method} {where}", headers), body, NOW)
            got = client.request(method, where, content=body, headers=headers)
            assert told.reply is not None, (where, body[:80])
            assert (got.status_code, got.content) == (told.reply.status, told.reply.body), where
            expected: dict[str, Any] = told.reply.headers
            assert {name: got.headers[name] for name in expected} == expected
    assert upstream.requests == []


def test_what_is_allowed_reaches_the_model_server_as_told(
    explaining: tuple[LiveGateway, Path], upstream: Upstream
) -> None:
    gateway, path = explaining
    config = load(path)
    table = assuming(compile_table(config), config, Caller("standard"))
    upstream.script = answering(bodies.chat_answer())
    body = bodies.chat_request()
    told = play(table, checked(f"POST {bodies.CHAT}", bodies.headers("standard")), body, NOW)
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        got = client.post(bodies.CHAT, content=body, headers=bodies.headers("standard"))
    assert got.status_code == 200
    assert told.asked is not None
    assert [request.body for request in upstream.requests] == [told.asked.body]
