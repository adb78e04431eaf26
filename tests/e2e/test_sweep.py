"""The planted-secret sweep: every exchange of the corpus through real Envoy, every byte searched.

Each exchange has a path of its own, its name before the API's path, so that one policy holds all.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from extproc.dialects.answers import streamed
from extproc.dialects.grpc_dialect import GrpcDialect
from extproc.prediction import KINDS
from tests.corpus.exchanges import SECRETS, Recorded, recorded
from tests.e2e.client import exchange
from tests.e2e.gateway import KEYS, LiveGateway, live_gateway, principal
from tests.e2e.upstream import Reply, Request, Upstream
from tests.laws.serving import OPEN, TEXT_AND_LABEL, serve

# gRPC calls have paths of their own and want a model server that speaks HTTP/2: see test_grpc.py.
EXCHANGES = {one.name: one for one in recorded() if not isinstance(one.route.dialect, GrpcDialect)}
TIERS = {"labels": [*TEXT_AND_LABEL], "full": KINDS}
TRAILERS = {"x-compute-time": "31337", "x-model": "s3cret"}


def sweeping(text: str) -> str:
    """The policy of the end-to-end tests, with the corpus's routes and two tiers."""
    policy = yaml.safe_load(text)
    policy["routes"] = [_route(one) for one in EXCHANGES.values()]
    policy["fidelities"] = {name: dict.fromkeys(kinds, "pass") for name, kinds in TIERS.items()}
    policy["policies"] = {name: {"models": ["*"], "fidelity": name} for name in TIERS}
    policy["tenants"] = {
        name: {"policy": name, "principals": [principal(KEYS[name])]} for name in TIERS
    }
    return yaml.safe_dump(policy, sort_keys=False)


def _route(one: Recorded) -> dict[str, Any]:
    path = f"/{one.name}{one.route.path}"
    return {"path": path, "method": one.route.method, "dialect": one.configuration}


async def answer(request: Request, reply: Reply) -> None:
    """What the file says; where it is a stream, in pieces, and with trailers that tell more."""
    one = EXCHANGES[request.path.split("/")[1]]
    fields = {"content-type": one.content_type, **one.answer_headers}
    if not streamed(one.route.dialect.answers()[one.media_type]):
        await reply.head(200, {**fields, "content-length": str(len(one.answer))})
        await reply.raw(one.answer)
        return
    await reply.head(200, {**fields, "transfer-encoding": "chunked", "trailer": "x-model"})
    for at in range(0, len(one.answer), 1000):
        await reply.chunk(one.answer[at : at + 1000])
    await reply.end(**TRAILERS)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    with Upstream() as upstream:
        upstream.script = answer
        with live_gateway(
            tmp_path_factory.mktemp("sweep"), upstream.port, policy=sweeping
        ) as gateway:
            yield gateway
            assert gateway.fail_open_events() == 0


def ask(gateway: LiveGateway, one: Recorded, tenant: str) -> bytes:
    """All that the client gets: status line, header fields, body without chunks, trailers."""
    fields = {
        "host": "sweep",
        "authorization": f"Bearer {KEYS[tenant]}",
        "content-length": str(len(one.request)),
        "te": "trailers",
        "connection": "close, te",
        **one.headers,
    }
    lines = [f"{one.route.method} /{one.name}{one.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return exchange(gateway, "\r\n".join([*lines, "", ""]).encode() + one.request)


def unchunked(raw: bytes) -> bytes:
    """A chunk may begin in the middle of a secret."""
    head, _, rest = raw.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return raw
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        body, rest = body + rest[:length], rest[length + 2 :]
    return head + b"\r\n\r\n" + body + rest


def found(raw: bytes) -> list[bytes]:
    whole = unchunked(raw)
    return [secret for secret in SECRETS if secret in raw or secret in whole]


every_exchange = pytest.mark.parametrize("one", EXCHANGES.values(), ids=EXCHANGES)


@every_exchange
def test_nothing_that_a_tier_does_not_grant_reaches_the_client(
    swept: LiveGateway, one: Recorded
) -> None:
    raw = ask(swept, one, "labels")
    status = 200 if serve(one, TEXT_AND_LABEL).released else 502
    assert raw.startswith(b"HTTP/1.1 %d " % status), raw
    assert found(raw) == [], raw


@every_exchange
def test_the_search_would_find_it(swept: LiveGateway, one: Recorded) -> None:
    """The same exchange where every kind is granted: the bytes that are searched do hold it."""
    raw = ask(swept, one, "full")
    assert raw.startswith(b"HTTP/1.1 200 "), raw
    # Where only unknown fields hold one, no tier shows it.
    shown = found(serve(one, OPEN).wire)
    assert found(raw) == shown, raw
    assert shown or found(one.answer)


def test_a_secret_across_two_chunks_would_be_found() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert found(head + b"3\r\ns3c\r\n3\r\nret\r\n0\r\n\r\n") == [b"s3cret"]
    assert found(head + b"1\r\na\r\n0\r\nx-time: 31337\r\n\r\n") == [b"31337"]
    assert found(head + b"1\r\na\r\n0\r\n\r\n") == []
    assert found(b"HTTP/1.1 200 s3cret\r\n\r\n") == [b"s3cret"]
