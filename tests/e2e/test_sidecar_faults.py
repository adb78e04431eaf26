"""A sidecar that is killed, frozen, drained or broken: whatever Envoy then sends was processed."""

import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.upstream import Reply, Request, Upstream, answering

ASK = bodies.chat_request(stream=True)
EVENT = b"data: " + bodies.chat_chunk("one") + b"\n\n"


@pytest.fixture
def mortal(upstream: Upstream, tmp_path: Path) -> Iterator[LiveGateway]:
    """A gateway of the test's own, whose sidecar may die."""
    with live_gateway(tmp_path, upstream.port) as gateway:
        yield gateway


def test_without_a_sidecar_nothing_is_answered(mortal: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.infer_answer())
    mortal.kill_sidecar()
    mortal.until_refused()
    response = post(mortal, bodies.INFER, bodies.infer_request())
    assert response.status_code == 503
    assert response.json()["status"] == 503
    assert upstream.requests == []


def test_a_sidecar_killed_while_the_answer_is_held_gives_an_error(
    mortal: LiveGateway, upstream: Upstream
) -> None:
    killed = upstream.event()

    async def script(request: Request, reply: Reply) -> None:
        answer = bodies.infer_answer()
        length = str(len(answer))
        await reply.head(200, {"content-type": "application/json", "content-length": length})
        await reply.raw(answer[:50])
        mortal.kill_sidecar()
        await killed.wait()
        await reply.raw(answer[50:])

    upstream.script = script
    answers: list[httpx.Response] = []
    caller = threading.Thread(
        target=lambda: answers.append(post(mortal, bodies.INFER, bodies.infer_request()))
    )
    caller.start()
    mortal.until_refused()
    upstream.release(killed)
    caller.join(timeout=30)
    (response,) = answers
    assert response.status_code == 503
    assert b"probabilities" not in response.content


def test_a_sidecar_killed_inside_a_stream_cuts_it(mortal: LiveGateway, upstream: Upstream) -> None:
    killed = upstream.event()

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        await reply.chunk(EVENT)
        await killed.wait()
        await reply.chunk(EVENT.replace(b"one", b"unfiltered"))
        await reply.end()

    upstream.script = script
    received = b""
    with (
        httpx.Client(base_url=mortal.url, timeout=20) as client,
        client.stream("POST", bodies.CHAT, content=ASK, headers=bodies.headers()) as response,
    ):
        pieces = response.iter_raw()
        received += next(pieces)
        mortal.kill_sidecar()
        upstream.release(killed)
        with pytest.raises(httpx.RemoteProtocolError):
            received += b"".join(pieces)
    assert b"one" in received
    assert b"unfiltered" not in received
    assert b"private thoughts" not in received


def test_a_sidecar_killed_after_the_body_harms_no_finished_answer(
    mortal: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.infer_answer())
    assert post(mortal, bodies.INFER, bodies.infer_request()).status_code == 200
    mortal.kill_sidecar()
    mortal.until_refused()
    assert post(mortal, bodies.INFER, bodies.infer_request()).status_code == 503


def test_a_frozen_sidecar_lets_nothing_pass(mortal: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.infer_answer())
    mortal.kill_sidecar(signal.SIGSTOP)
    try:
        response = post(mortal, bodies.INFER, bodies.infer_request())
        assert response.status_code == 503
        assert upstream.requests == []
    finally:
        mortal.kill_sidecar(signal.SIGCONT)


def test_a_drain_lets_the_running_stream_finish_and_takes_no_new_one(
    mortal: LiveGateway, upstream: Upstream
) -> None:
    draining = upstream.event()

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        await reply.chunk(EVENT)
        await draining.wait()
        await reply.chunk(EVENT.replace(b"one", b"two") + b"data: [DONE]\n\n")
        await reply.end()

    upstream.script = script
    with (
        httpx.Client(base_url=mortal.url, timeout=20) as client,
        client.stream("POST", bodies.CHAT, content=ASK, headers=bodies.headers()) as response,
    ):
        lines = response.iter_lines()
        assert "one" in next(lines)
        mortal.kill_sidecar(signal.SIGTERM)
        mortal.until_refused()
        assert post(mortal, bodies.INFER, bodies.infer_request()).status_code == 503
        upstream.release(draining)
        rest = [line for line in lines if line]
    assert "two" in rest[0]
    assert "private thoughts" not in rest[0]
    assert rest[-1] == "data: [DONE]"
    assert mortal.fail_open_events() == 0


_EARLY = """
import asyncio, os, sys
from extproc.server import processor
whole = processor.drive
async def drive(*_: object):
    {fault}
processor.drive = drive
sys.argv = ["extproc", "serve", "--policy", {policy!r}]
from extproc.__main__ import main
raise SystemExit(main())
"""


@pytest.mark.parametrize(
    "fault",
    [
        "raise RuntimeError('planted')",
        "raise asyncio.CancelledError",
        "raise SystemExit(1)",
        "os._exit(1)",
    ],
)
def test_a_handler_that_ends_early_fails_closed(
    upstream: Upstream, tmp_path: Path, fault: str
) -> None:
    upstream.script = answering(bodies.infer_answer())

    def command(policy: Path) -> tuple[str, ...]:
        return (sys.executable, "-c", _EARLY.format(fault=fault, policy=str(policy)))

    with live_gateway(tmp_path, upstream.port, command=command) as gateway:
        response = post(gateway, bodies.INFER, bodies.infer_request())
        assert response.status_code == 503
        assert upstream.requests == []
        assert gateway.fail_open_events() == 0


def test_the_fail_open_counter_sees_a_handler_that_returns(
    upstream: Upstream, tmp_path: Path
) -> None:
    """The planted bug that all of this is about: a handler that merely returns is an open door,
    and the counter which every other test here relies on does see it.
    """
    upstream.script = answering(bodies.infer_answer())

    def command(policy: Path) -> tuple[str, ...]:
        return (sys.executable, "-c", _EARLY.format(fault="return", policy=str(policy)))

    with live_gateway(tmp_path, upstream.port, command=command) as gateway:
        response = post(gateway, bodies.INFER, bodies.infer_request())
        assert bodies.SECRET in response.text
        gateway.until(lambda: gateway.fail_open_events() > 0)


def test_the_server_notices_another_body_mode(upstream: Upstream, tmp_path: Path) -> None:
    """Envoy configured by somebody else, for buffered bodies: refused, not half-processed."""
    upstream.script = answering(bodies.infer_answer())

    def envoy(text: str) -> str:
        assert "FULL_DUPLEX_STREAMED" in text
        return text.replace("FULL_DUPLEX_STREAMED", "BUFFERED")

    with live_gateway(tmp_path, upstream.port, bootstrap=envoy) as gateway:
        response = post(gateway, bodies.INFER, bodies.infer_request())
        assert response.status_code == 503
        assert upstream.requests == []


def test_without_ext_authz_nothing_passes(upstream: Upstream, tmp_path: Path) -> None:
    """The identity is in ext_authz's metadata; without it a header is no substitute."""
    upstream.script = answering(bodies.infer_answer())

    def envoy(text: str) -> str:
        assert "- envoy.filters.http.ext_authz" in text
        return text.replace("- envoy.filters.http.ext_authz", "- some.other.namespace")

    with live_gateway(tmp_path, upstream.port, bootstrap=envoy) as gateway:
        response = post(gateway, bodies.INFER, bodies.infer_request(), headers={"x-tenant": "full"})
        assert response.status_code == 503
        assert upstream.requests == []
