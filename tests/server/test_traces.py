"""What is told of a traced request, on the wire of a real stream."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from extproc.dialects import Dialect
from extproc.events import RequestBody, RequestHeaders, ResponseBody
from extproc.server.traces import _OPERATION, Traces, parent, trace_id
from tests.playbook import ASK, LEAKY, SECRET, headers, policy, table
from tests.server.test_authz import KEY, asking, principal
from tests.server.wire import ADMITTED, Clock, Envoy, Sidecar, over, running, until

TRACE = "0af7651916cd43dd8448eb211c80319c"
ABOVE = f"00-{TRACE}-b7ad6b7169203331-01"
TABLE = table(policy(models=("m",)), tenants={principal(KEY): "acme"})
ASKED = (RequestHeaders(end=False), RequestBody(ASK, end=True))

Told = tuple[str, str, int, int, Mapping[str, str | int]]


class Kept:
    """A collector that keeps what it is told."""

    def __init__(self) -> None:
        self.spans: list[Told] = []

    def tell(self, *span: Any) -> None:
        self.spans.append(span)


@asynccontextmanager
async def traced() -> AsyncIterator[tuple[Sidecar, Envoy, Kept]]:
    kept, clock = Kept(), Clock()
    async with running(Path("s"), TABLE, traces=Traces(kept, clock)) as (sidecar, envoy):
        clock.now = sidecar.wall.now
        yield sidecar, envoy, kept


@pytest.fixture
def _short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a Unix socket has 107 bytes at most


def asked(above: str, key: str = KEY) -> Any:
    found = asking(key=key)
    return replace(found, headers={**found.headers, "traceparent": above})


@pytest.mark.usefixtures("_short")
async def test_an_exchange_has_two_spans_beneath_that_of_its_request() -> None:
    async with traced() as (sidecar, envoy, kept):
        handover = over(await envoy.check(asked(ABOVE)))
        stream = await envoy.stream(handover).send(*ASKED)
        await stream.receive()
        await stream.send(headers(), ResponseBody(LEAKY, end=True))
        await stream.receive()
        await stream.end()
        await until(lambda: len(kept.spans) == 2)
        check, process = kept.spans
        [record] = sidecar.recorded()
    assert (check[0], process[0]) == ("ext_authz Check", "ext_proc Process")
    assert check[1] == process[1] == ABOVE
    assert all(began <= ended for _, _, began, ended, _ in kept.spans)
    named = {
        "extproc.request_id": handover.exchange,
        "extproc.tenant": "acme",
        "extproc.route": ADMITTED.route,
    }
    assert check[4] == {**named, "extproc.outcome": "allowed"}
    assert process[4] == {
        **named,
        "extproc.outcome": "served",
        "extproc.fidelity": "standard",
        "http.response.status_code": 200,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 1,
    }
    assert record["trace_id"] == TRACE == trace_id(ABOVE)
    assert SECRET not in str(kept.spans)


@pytest.mark.usefixtures("_short")
async def test_a_denial_is_told_by_its_code_and_its_record_has_the_trace() -> None:
    async with traced() as (sidecar, envoy, kept):
        await envoy.check(asked(ABOVE, key="sk-of-nobody"))
        [(_, _, _, _, told)] = kept.spans
        [record] = sidecar.recorded()
    assert told["extproc.outcome"] == "invalid_api_key"
    assert "unknown" not in str(kept.spans)
    assert (record["code"], record["trace_id"]) == ("key_unknown", TRACE)


@pytest.mark.usefixtures("_short")
async def test_what_nobody_traces_has_no_spans() -> None:
    async with traced() as (sidecar, envoy, kept):
        response = await envoy.check(asked("00-nothing-of-the-kind"))
        assert "traceparent" not in response.dynamic_metadata.fields
        stream = await envoy.stream(over(response)).send(*ASKED)
        await stream.receive()
        stream.call.cancel()
        await until(lambda: sidecar.count("extproc_exchanges_total", outcome="unfinished") == 1)
        [record] = sidecar.recorded()
    assert "trace_id" not in record
    assert kept.spans == []


@pytest.mark.usefixtures("_short")
async def test_where_tracing_is_off_no_parent_is_handed_over() -> None:
    async with running(Path("s"), TABLE) as (_, envoy):
        response = await envoy.check(asked(ABOVE))
        assert "traceparent" not in response.dynamic_metadata.fields


@pytest.mark.parametrize(
    "above",
    [
        "",
        ABOVE.upper(),
        ABOVE + "-00",
        ABOVE.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{ABOVE},{ABOVE}",
        ABOVE + "\n",
    ],
)
def test_only_a_parent_of_the_known_form_is_one(above: str) -> None:
    assert parent({"traceparent": above}) == ""
    assert parent({"traceparent": ABOVE}) == ABOVE


def test_every_operation_is_of_a_dialect_that_there_is() -> None:
    tags = {one.__struct_config__.tag for one in get_args(Dialect)}
    assert set(_OPERATION) <= tags
