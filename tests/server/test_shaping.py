"""Both services together: what a Check saw arrive is what the answer's instant counts from.

Real gRPC on a Unix socket, on clocks that a test moves.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from msgspec import structs

from extproc.caps import Caps
from extproc.dialects import OpenAIChat
from extproc.events import CheckedRequest, RequestBody, RequestHeaders, ResponseBody
from extproc.padding import Buckets
from extproc.policy import PolicyTable
from extproc.refusal import OVERLOADED
from extproc.server.processor import OLDEST
from extproc.server.protobuf import Handover
from extproc.shaping import UNSHAPED, Grid, Rate, Shaping
from tests.playbook import ANSWER, ASK, ASK_STREAM, EVENT, LAST, headers, policy, rate, table
from tests.server.test_authz import KEY, asking, principal
from tests.server.timers import Timers
from tests.server.wire import ADMITTED, Envoy, Sidecar, Stream, over, running

GRID, TICK = 0.25, 0.0625
SHAPING = Shaping(Grid(GRID), Buckets(1024), Rate(TICK, 256))
CAPS = Caps(waiting=2)
TABLE = table(policy(shaping=SHAPING), caps=CAPS, strangers=Shaping(Grid(GRID), Buckets(1024)))
ASKED = (RequestHeaders(end=False), RequestBody(ASK, end=True))
STRANGE = CheckedRequest("POST", "/v1/chat/completions", {"authorization": "Bearer nobody"})


class Bench:
    def __init__(self, sidecar: Sidecar, envoy: Envoy, timers: Timers) -> None:
        self.sidecar, self.envoy, self.timers = sidecar, envoy, timers

    def arrived(self, ago: float = 0.0) -> Handover:
        """As ext_authz hands over what arrived so many seconds ago."""
        return replace(ADMITTED, arrival=self.sidecar.wall.now - ago)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - what is waited for knows no events
                await asyncio.sleep(0)

    async def waits(self, count: int = 1) -> None:
        """Until so many answers wait for their instant."""
        await self.until(lambda: len(self.timers.alarms._heap) == count)

    async def leaves(self, stream: Stream, after: float) -> Any:
        """What leaves so many seconds from now, and not a millisecond before."""
        received = asyncio.ensure_future(stream.receive())
        self.timers.advance(after - 0.001)
        for _ in range(50):
            await asyncio.sleep(0)
        assert not received.done()
        self.timers.advance(0.001)
        return await received


@pytest.fixture
def socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("s")


@asynccontextmanager
async def wired(socket: Path, served: PolicyTable = TABLE) -> AsyncIterator[Bench]:
    timers = Timers()
    async with running(socket, served, alarms=timers.alarms) as (sidecar, envoy):
        yield Bench(sidecar, envoy, timers)


@pytest.fixture
async def bench(socket: Path) -> AsyncIterator[Bench]:
    async with wired(socket) as made:
        yield made


async def asked(bench: Bench, handover: Handover) -> Stream:
    stream = await bench.envoy.stream(handover).send(*ASKED)
    assert (await stream.receive()).HasField("request_headers")
    return stream


@pytest.mark.parametrize("ago", [0.0, 0.125, 0.1875, 1.0625])
async def test_an_answers_instant_counts_from_the_check(bench: Bench, ago: float) -> None:
    stream = await asked(bench, bench.arrived(ago))
    await stream.send(headers(), ResponseBody(ANSWER, end=True))
    await bench.waits()
    sent = await bench.leaves(stream, GRID - ago % GRID)
    body = sent.immediate_response.body
    assert len(body) == 1024
    assert body.startswith(ANSWER[:-1])
    assert await stream.end() is grpc.StatusCode.OK


@pytest.mark.parametrize("ago", [-0.1, -3600.0, OLDEST + 1, 86_400.0, 1_800_000_000.0])
async def test_a_clock_that_was_set_in_between_counts_from_the_stream(
    bench: Bench, ago: float
) -> None:
    """Neither a wait without end nor an answer before its time."""
    stream = await asked(bench, bench.arrived(ago))
    await stream.send(headers(), ResponseBody(ANSWER, end=True))
    await bench.waits()
    assert (await bench.leaves(stream, GRID)).immediate_response.status.code == 200
    assert await stream.end() is grpc.StatusCode.OK


@pytest.mark.parametrize("event", [RequestHeaders(end=False), headers(status=401)])
async def test_a_stream_has_begun_long_before_its_answer_leaves(bench: Bench, event: Any) -> None:
    """Or the beginning would be part of what a denial, which says nothing before, takes."""
    stream = await bench.envoy.stream(bench.arrived()).send(event)
    async with asyncio.timeout(10):
        await stream.call.initial_metadata()
    assert not stream.call.done()
    stream.call.cancel()


async def test_a_denial_leaves_when_and_as_long_as_an_answer_would(bench: Bench) -> None:
    told = over(await bench.envoy.check(STRANGE))
    assert told.arrival == bench.sidecar.wall.now
    bench.sidecar.wall.now += 0.0625
    stream = await bench.envoy.stream(told).send(headers("text/plain", 401))
    await bench.waits()
    denial = (await bench.leaves(stream, GRID - 0.0625)).immediate_response
    assert (denial.status.code, len(denial.body)) == (401, 1024)
    assert await stream.end() is grpc.StatusCode.OK


STRICT = policy(shaping=SHAPING, limits=(rate("burst", "tenant", 1, 60),))
SELECTING = replace(
    table(policy(), tenants={principal(KEY): "acme"}),
    selected={"strict": {("acme", STRICT.route.name): STRICT}},
    selected_shapings={"strict": SHAPING},
)
"""Nothing waits under the tenant's own policy, and all does under one that Envoy may select."""


async def test_an_answer_has_the_shape_of_the_policy_that_envoy_selects(socket: Path) -> None:
    async with wired(socket, SELECTING) as bench:
        stream = await asked(bench, replace(bench.arrived(), policy="strict"))
        await stream.send(headers(), ResponseBody(ANSWER, end=True))
        await bench.waits()
        assert len((await bench.leaves(stream, GRID)).immediate_response.body) == 1024
        assert await stream.end() is grpc.StatusCode.OK
        own = await asked(bench, bench.arrived())
        await own.send(headers(), ResponseBody(ANSWER, end=True))
        assert (await own.receive()).response_headers.response.body_mutation.body == ANSWER


async def test_a_denial_has_the_shape_of_the_policy_that_envoy_selects(socket: Path) -> None:
    async with wired(socket, SELECTING) as bench:
        asking_it = structs.replace(asking(), policy="strict")
        _, told = [over(await bench.envoy.check(asking_it)) for _ in range(2)]
        assert (told.refusal, told.policy) == ("rate_limit_exceeded", "strict")
        stream = await bench.envoy.stream(told).send(headers("text/plain", 429))
        await bench.waits()
        assert len((await bench.leaves(stream, GRID)).immediate_response.body) == 1024


async def test_an_error_of_envoys_own_counts_from_its_stream(bench: Bench) -> None:
    stream = await bench.envoy.stream(None).send(headers("text/plain", 503))
    await bench.waits()
    error = (await bench.leaves(stream, GRID)).immediate_response
    assert len(error.body) == 1024
    assert await stream.end() is grpc.StatusCode.OK


@pytest.mark.parametrize("body", [b"s3cret", ASK.replace(b'"m"', b'""')])
async def test_a_refusal_leaves_when_and_as_long_as_an_answer_would(
    bench: Bench, body: bytes
) -> None:
    stream = bench.envoy.stream(bench.arrived())
    await stream.send(RequestHeaders(end=False), RequestBody(body, end=True))
    await bench.waits()
    refusal = (await bench.leaves(stream, GRID)).immediate_response
    assert refusal.status.code >= 400
    assert len(refusal.body) == 1024
    assert await stream.end() is grpc.StatusCode.OK


async def test_a_stream_leaves_at_its_rate(bench: Bench) -> None:
    stream = await bench.envoy.stream(bench.arrived()).send(
        RequestHeaders(end=False), RequestBody(ASK_STREAM, end=True), headers("text/event-stream")
    )
    assert (await stream.receive()).HasField("request_headers")
    await stream.send(ResponseBody(EVENT + LAST, end=False))
    await bench.waits()
    assert (await bench.leaves(stream, GRID)).HasField("response_headers")
    first = (await stream.receive()).response_body.response.body_mutation.streamed_response
    assert first.body.startswith(EVENT + LAST + b":x")
    assert len(first.body) == 256
    await stream.send(ResponseBody(b"", end=True))
    for tick in range(3):
        await bench.waits()
        sent = (await bench.leaves(stream, TICK)).response_body.response.body_mutation
        assert len(sent.streamed_response.body) == 256
        assert sent.streamed_response.end_of_stream == (tick == 2)
    assert await stream.end() is grpc.StatusCode.OK


# Never open, and nothing kept.


async def test_a_client_that_hangs_up_takes_its_waiting_answer_along(bench: Bench) -> None:
    stream = await asked(bench, bench.arrived())
    await stream.send(headers(), ResponseBody(ANSWER, end=True))
    await bench.waits()
    assert bench.sidecar.processor.held.total == 1024
    stream.call.cancel()
    await bench.until(lambda: not bench.sidecar.processor.held.total)
    await bench.until(lambda: not bench.sidecar.processor.waiting.total)
    await bench.until(lambda: not bench.sidecar.count("extproc_streams"))


async def test_an_end_of_envoys_side_while_an_answer_waits_is_an_error(bench: Bench) -> None:
    stream = await asked(bench, bench.arrived())
    await stream.send(headers(), ResponseBody(ANSWER, end=True))
    await bench.waits()
    assert await stream.end() is grpc.StatusCode.FAILED_PRECONDITION
    assert bench.sidecar.processor.held.total == 0


async def test_a_sidecar_that_drains_releases_what_waits_at_its_instant(bench: Bench) -> None:
    stream = await asked(bench, bench.arrived())
    await stream.send(headers(), ResponseBody(ANSWER, end=True))
    await bench.waits()
    stopping = asyncio.ensure_future(bench.sidecar.server.stop(grace=10))
    assert (await bench.leaves(stream, GRID)).immediate_response.status.code == 200
    assert await stream.end() is grpc.StatusCode.OK
    await stopping


async def test_what_waits_longer_than_the_drain_ends_with_an_error(bench: Bench) -> None:
    stream = await asked(bench, bench.arrived())
    await stream.send(headers(), ResponseBody(ANSWER, end=True))
    await bench.waits()
    await bench.sidecar.server.stop(grace=0)
    assert await stream.status() is not grpc.StatusCode.OK


async def test_where_too_many_wait_it_is_said_before_anything_is_done(bench: Bench) -> None:
    """Later, it would tell when the work was over."""
    first = [await asked(bench, bench.arrived()) for _ in range(CAPS.waiting)]
    for handed, begin in (
        (bench.arrived(), RequestHeaders(end=False)),
        (replace(ADMITTED, tenant="", refusal="invalid_api_key"), headers("text/plain", 401)),
    ):
        stream = await bench.envoy.stream(handed).send(begin)
        refusal = (await stream.receive()).immediate_response
        assert (refusal.status.code, len(refusal.body)) == (503, 1024)
        assert refusal.body.startswith(OpenAIChat().error(OVERLOADED))
        assert await stream.end() is grpc.StatusCode.OK
    for stream in first:
        stream.call.cancel()
    await bench.until(lambda: not bench.sidecar.processor.waiting.total)
    stream = await asked(bench, bench.arrived())
    stream.call.cancel()


async def test_what_does_not_wait_needs_no_place(socket: Path) -> None:
    unshaped = table(policy(shaping=UNSHAPED), caps=Caps(waiting=1))
    async with wired(socket, unshaped) as bench:
        streams = [await asked(bench, bench.arrived()) for _ in range(3)]
        assert bench.sidecar.processor.waiting.total == 0
        for stream in streams:
            await stream.send(headers(), ResponseBody(ANSWER, end=True))
            assert (await stream.receive()).HasField("response_headers")
            assert await stream.end() is grpc.StatusCode.OK


async def test_on_trial_nothing_waits_and_nothing_is_named(socket: Path) -> None:
    trial = table(policy(shaping=SHAPING, shadow=True))
    async with wired(socket, trial) as bench:
        stream = await bench.envoy.stream(bench.arrived()).send(*ASKED, headers())
        for _ in range(2):
            await stream.receive()
        answer = (await stream.receive()).response_headers.response
        assert not answer.header_mutation.set_headers
        await stream.send(ResponseBody(ANSWER, end=True))
        await stream.receive()
        assert await stream.end() is grpc.StatusCode.OK
