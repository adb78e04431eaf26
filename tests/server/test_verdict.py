"""What Envoy is told for its access log, on the wire of a real stream."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingResponse
from extproc.envoyconf.http_filters import VERDICT
from extproc.events import Event, RequestBody, RequestHeaders, ResponseBody
from extproc.rollout import Rollout
from extproc.server.protobuf import Handover
from extproc.server.verdict import NAMESPACE
from tests.playbook import ANSWER, ASK, ASK_STREAM, EVENT, LEAKY, headers, policy, rate, table
from tests.server.test_authz import KEY, asking, principal
from tests.server.wire import ADMITTED, Envoy, over, running

BURST = rate("burst", "principal", 1, 60)
TABLE = table(
    policy(models=("m",)),
    policy(route=("POST", "/v1/shadowed"), shadow=True, models=("none",)),
    policy(route=("POST", "/v1/counted"), shadow=True, limits=(BURST,)),
    tenants={principal(KEY): "acme"},
)
ASKED = (RequestHeaders(end=False), RequestBody(ASK, end=True))
SHADOWED = replace(ADMITTED, route="POST /v1/shadowed")
DENIED = replace(ADMITTED, refusal="rate_limit_exceeded", principal="")


@pytest.fixture
async def envoy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Envoy]:
    monkeypatch.chdir(tmp_path)  # the name of a Unix socket has 107 bytes at most
    async with running(Path("s"), TABLE) as (_, found):
        yield found


def told(message: ProcessingResponse) -> dict[str, str]:
    fields = message.dynamic_metadata.fields
    assert set(fields) <= {NAMESPACE}
    said = fields[NAMESPACE].struct_value.fields if fields else {}
    return {name: value.string_value for name, value in said.items()}


async def ended(
    envoy: Envoy, of: Handover | None, sent: Sequence[Event], answers: int
) -> list[dict[str, str]]:
    """What each message of the sidecar tells."""
    stream = await envoy.stream(of).send(*sent)
    found = [told(await stream.receive()) for _ in range(answers)]
    await stream.end()
    return found


def test_envoy_takes_the_namespace_that_is_written() -> None:
    assert NAMESPACE == VERDICT


async def test_what_is_served_is_told_once_with_its_tier(envoy: Envoy) -> None:
    answer = (headers(), ResponseBody(LEAKY, end=True))
    served = {"outcome": "served", "fidelity": "standard"}
    assert await ended(envoy, ADMITTED, (*ASKED, *answer), 2) == [{}, served]


async def test_a_stream_is_told_when_it_is_over_and_so_is_one_that_is_cut(envoy: Envoy) -> None:
    asked = (ASKED[0], RequestBody(ASK_STREAM, end=True), headers("text/event-stream"))
    for last, outcome in ((b"data: [DONE]\n\n", "served"), (b"data: x\n\n", "cut")):
        pieces = (ResponseBody(EVENT, end=False), ResponseBody(last, end=True))
        *before, end = await ended(envoy, ADMITTED, (*asked, *pieces), 4)
        assert before == [{}, {}, {}]
        assert end == {"outcome": outcome, "fidelity": "standard"}


async def test_a_refusal_is_told_by_its_code_and_never_by_its_cause(envoy: Envoy) -> None:
    denied = await ended(envoy, DENIED, [headers("text/plain", 429)], 1)
    assert denied == [{"outcome": "rate_limit_exceeded", "fidelity": "standard"}]
    # The cause is upstream_error: the client is told that the service is unavailable.
    assert await ended(envoy, None, [headers("text/plain", 503)], 1) == [{"outcome": "unavailable"}]
    gone = await ended(envoy, ADMITTED, (*ASKED, headers(status=404)), 2)
    assert gone[1]["outcome"] == "model_not_found"  # and not upstream_not_found


async def test_on_trial_it_is_told_what_would_have_been(envoy: Envoy) -> None:
    answer = (headers(), ResponseBody(ANSWER, end=True))
    first, *rest = [one for one in await ended(envoy, SHADOWED, (*ASKED, *answer), 4) if one]
    assert first == {"outcome": "passed", "shadow_would": "model_not_found", "fidelity": "standard"}
    assert rest == []


async def test_a_limit_on_trial_is_told_whatever_comes_after(envoy: Envoy) -> None:
    answer = (headers(), ResponseBody(ANSWER, end=True))
    for would in ("served", "rate_limit_exceeded"):
        checked = await envoy.check(asking("/v1/counted"))
        first, *rest = [
            one for one in await ended(envoy, over(checked), (*ASKED, *answer), 4) if one
        ]
        assert first == {"outcome": "passed", "shadow_would": would, "fidelity": "standard"}
        assert rest == []


async def test_what_would_have_been_denied_is_told_by_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tried = replace(TABLE, rollout=Rollout("shadow"))
    async with running(Path("s"), tried) as (_, envoy):
        checked = await envoy.check(asking(key="sk-of-nobody"))
        first, *rest = await ended(envoy, over(checked), ASKED, 2)
        assert first == {"outcome": "passed", "shadow_would": "invalid_api_key"}
        assert rest == [{}]


async def test_where_nobody_looks_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(Path("s"), replace(TABLE, rollout=Rollout("off"))) as (_, envoy):
        first, *_ = await ended(envoy, Handover("e9", "v1", passed="off"), ASKED, 2)
        assert first == {"outcome": "off"}
