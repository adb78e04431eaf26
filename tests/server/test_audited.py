"""What the audit log says about requests, over real gRPC: the true cause, and no secret."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest
from extproc.audit import Pseudonyms
from extproc.canonical import digest
from extproc.dialects import KServeV2
from extproc.escalation import Case, Ladder, Step
from extproc.events import CheckedRequest, RequestBody, RequestHeaders, ResponseBody
from extproc.limits import Calendar, Concurrency, Limit, Periods
from extproc.limits.exhaustion import Lower
from extproc.policy import PolicyTable
from extproc.rollout import Rollout
from extproc.server.audit_log import AuditLog
from extproc.server.audited import Auditor
from extproc.server.protobuf import AUTHZ, Handover, handover
from tests.audit.logs import record
from tests.playbook import (
    ANSWER,
    ASK,
    ASK_STREAM,
    EVENT,
    LEAKY,
    SECRET,
    headers,
    policy,
    rate,
    table,
)
from tests.server.journals import plan, report, said
from tests.server.test_authz import KEY, principal
from tests.server.wire import Envoy, Sidecar, Stream, running

NAMES = Pseudonyms(b"s" * 32)
BURST = rate("burst", "principal", 2, 10)
PURSE = Limit(Calendar("purse/day", 1500, Periods("day")), "credits", budget=True)
INFER = ("POST", "/v2/models/{model}/infer")
LOWER = Limit(Concurrency("escalation:0:fidelity", 1), "requests", exhausted=Lower("coarse"))
SUSPECTED = replace(
    policy(route=("POST", "/v1/suspected")),
    ladder=Ladder((Step(0.9, 60.0, LOWER, "fidelity"),)),
    audited=True,
)
TABLE = replace(
    table(
        replace(policy(limits=(BURST,), models=("m",)), audited=True),
        replace(policy(KServeV2(), route=INFER), audited=True),
        replace(
            policy(route=("POST", "/v1/budget"), limits=(BURST,), reserved=(PURSE,)), audited=True
        ),
        replace(
            policy(route=("POST", "/v1/shadowed"), shadow=True, models=("none",)), audited=True
        ),
        replace(SUSPECTED, lower={"coarse": SUSPECTED}),
        tenants={principal(KEY): "acme"},
    ),
    pseudonyms=NAMES,
)
CHAT = "/v1/chat/completions"


class Audited:
    def __init__(self, sidecar: Sidecar, envoy: Envoy, log: AuditLog, folder: Path) -> None:
        self.sidecar, self.envoy, self.log, self.folder = sidecar, envoy, log, folder

    async def admitted(self, path: str = CHAT) -> Stream:
        """The stream of a request that ext_authz let in."""
        found = await self.envoy.check(asking(path))
        assert found.status.code == 0
        message = ProcessingRequest()
        message.metadata_context.filter_metadata[AUTHZ].CopyFrom(found.dynamic_metadata)
        told = handover(message)
        assert told is not None
        return self.envoy.stream(told)

    async def records(self) -> list[dict[str, Any]]:
        """What the log says in the end, without what is told of every record."""
        await self.sidecar.server.stop(grace=5)
        self.log.close()
        assert report(self.folder).whole
        raw = (self.folder / "audit.jsonl").read_text()
        assert SECRET not in raw
        assert KEY not in raw
        assert principal(KEY) not in raw
        assert NAMES._inputs.hex() not in raw
        found = [line for line in said(self.folder) if line["kind"] == "exchange"]
        for line in found:
            assert len(bytes.fromhex(line.pop("request"))) == 8
            assert line.pop("time").startswith("2027-01-15T08:00:00")
            assert line.pop("duration") >= 0
            for name in ("n", "kind", "hash"):
                del line[name]
        return found


def asking(path: str = CHAT, key: str = KEY) -> CheckedRequest:
    fields = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    return CheckedRequest("POST", path, fields)


class All:
    """Suspects everybody."""

    def case(self, tenant: str, principal: str) -> Case:
        return Case(0.95, 0, 1_800_000_000.0)


@asynccontextmanager
async def audited(folder: Path, under: PolicyTable = TABLE, **more: Any) -> AsyncIterator[Audited]:
    log = AuditLog(plan(folder, **more), pause=60.0)
    auditor = Auditor(log)
    async with running(Path("s"), under, auditor=auditor, suspects=All()) as (sidecar, envoy):
        yield Audited(sidecar, envoy, log, folder)
    log.close()


@pytest.fixture
async def wired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Audited]:
    monkeypatch.chdir(tmp_path)
    async with audited(tmp_path) as found:
        yield found


SERVED = {
    "decision": "served",
    "reason": "",
    "detail": "",
    "shadow": False,
    "principal": principal(KEY)[:20],
    "tenant": "acme",
    "route": "POST /v1/chat/completions",
    "model": "m",
    "inputs": 1,
    "stream": False,
    "fingerprint": NAMES.input([digest([{"role": "user", "content": SECRET}])]),
    "epoch": NAMES.epoch,
    "policy": "v1",
    "fidelity": "standard",
    "changed": {},
    "dropped": {},
    "charge": {"requests": 1},
    "status": 200,
}
DENIED = {
    **SERVED,
    "decision": "refused",
    "model": "",
    "inputs": 0,
    "fingerprint": "",
    "fidelity": "",
    "charge": {},
}


async def test_an_exchange_that_is_served_has_one_record(wired: Audited) -> None:
    stream = await wired.admitted()
    await stream.send(RequestHeaders(end=False), RequestBody(ASK, end=True))
    await stream.send(headers(), ResponseBody(ANSWER, end=True))
    await stream.receive()
    await stream.receive()
    await stream.end()
    assert await wired.records() == [SERVED]


async def test_an_answer_that_is_lowered_says_that_suspicion_did_it(wired: Audited) -> None:
    stream = await wired.admitted("/v1/suspected")
    await stream.send(RequestHeaders(end=False), RequestBody(ASK, end=True))
    await stream.send(headers(), ResponseBody(ANSWER, end=True))
    await stream.receive()
    await stream.receive()
    await stream.end()
    [served] = await wired.records()
    assert (served["decision"], served["detail"]) == ("served", "escalation:fidelity")


async def test_what_an_exchange_cost_is_told_by_unit(wired: Audited) -> None:
    stream = await wired.admitted("/v1/budget")
    await stream.send(RequestHeaders(end=False), RequestBody(ASK, end=True))
    await stream.send(headers(), ResponseBody(ANSWER, end=True))
    await stream.receive()
    await stream.receive()
    await stream.end()
    refused = await wired.admitted("/v1/budget")
    await refused.send(RequestHeaders(end=False), RequestBody(ASK, end=True))
    await refused.receive()
    await refused.end()
    served, denied = await wired.records()
    assert served["charge"] == {"requests": 1, "credits": 1}
    assert (denied["reason"], denied["detail"]) == ("rate_limit_exceeded", "purse")
    assert denied["charge"] == {"requests": 1}


async def test_what_was_stripped_is_counted(wired: Audited) -> None:
    stream = await wired.admitted()
    await stream.send(RequestHeaders(end=False), RequestBody(ASK, end=True))
    await stream.send(headers(), ResponseBody(LEAKY, end=True))
    await stream.receive()
    await stream.receive()
    await stream.end()
    [found] = await wired.records()
    assert found.pop("dropped")["choices[].logprobs"] == 1
    assert found == {name: value for name, value in SERVED.items() if name != "dropped"}


async def test_the_same_question_has_the_same_fingerprint(wired: Audited) -> None:
    other = ASK.replace(SECRET.encode(), SECRET.upper().encode() + b"!?")
    for body in (ASK, other):
        stream = await wired.admitted()
        await stream.send(RequestHeaders(end=False), RequestBody(body, end=True))
        await stream.send(headers(), ResponseBody(ANSWER, end=True))
        await stream.receive()
        await stream.receive()
        await stream.end()
    first, second = await wired.records()
    assert first["fingerprint"] == second["fingerprint"] == SERVED["fingerprint"]


async def test_a_request_that_is_refused_for_its_body_says_why(wired: Audited) -> None:
    stream = await wired.admitted()
    await stream.send(RequestHeaders(end=False), RequestBody(ASK.replace(b'"m"', b'"x"'), end=True))
    await stream.receive()
    await stream.end()
    [found] = await wired.records()
    expected = {**DENIED, "fidelity": "standard", "charge": {"requests": 1}}
    assert found == {**expected, "reason": "model_not_found", "status": 404}


async def test_an_answer_that_is_cut_says_where_the_fault_was(wired: Audited) -> None:
    stream = await wired.admitted()
    await stream.send(RequestHeaders(end=False), RequestBody(ASK_STREAM, end=True))
    await stream.send(headers("text/event-stream"), ResponseBody(EVENT + b"data: x\n\n", end=True))
    for _ in range(3):
        await stream.receive()
    await stream.end()
    [found] = await wired.records()
    assert found.pop("detail")
    assert found == {
        **{name: value for name, value in SERVED.items() if name != "detail"},
        "decision": "cut",
        "stream": True,
    }


async def test_an_exchange_that_nobody_finishes_has_its_record_too(wired: Audited) -> None:
    stream = await wired.admitted()
    await stream.send(RequestHeaders(end=False), RequestBody(ASK, end=True))
    await stream.receive()
    stream.call.cancel()
    [found] = await wired.records()
    assert found == {**SERVED, "decision": "unfinished", "status": 0}


async def test_a_policy_on_trial_says_what_it_would_have_done(wired: Audited) -> None:
    stream = await wired.admitted("/v1/shadowed")
    await stream.send(RequestHeaders(end=False), RequestBody(ASK, end=True))
    await stream.send(headers(status=201), ResponseBody(ANSWER, end=True))
    for _ in range(4):
        await stream.receive()
    await stream.end()
    [found] = await wired.records()
    assert found == {
        **DENIED,
        "shadow": True,
        "route": "POST /v1/shadowed",
        "reason": "model_not_found",
        "fidelity": "standard",
        "status": 201,
    }


async def test_denials_of_ext_authz_have_one_record_each(wired: Audited) -> None:
    for _ in range(2):
        await wired.envoy.check(asking())
    denied = await wired.envoy.check(asking())
    await wired.envoy.check(asking(key="sk-s3cret-of-nobody"))
    await wired.envoy.check(asking("/v1/s3cret"))
    told = {name: field.string_value for name, field in denied.dynamic_metadata.fields.items()}
    refused = Handover(told["exchange"], "v1", told["route"], "acme", refusal=told["refusal"])
    stream = await wired.envoy.stream(refused).send(headers("text/plain", 429))
    await stream.receive()
    await stream.end()
    stranger = {"principal": "", "tenant": "", "route": ""}
    assert await wired.records() == [
        {**DENIED, "reason": "rate_limit_exceeded", "detail": "burst", "status": 429},
        {**DENIED, **stranger, "reason": "key_unknown", "status": 401},
        {**DENIED, "route": "", "reason": "not_found", "status": 404},
    ]


TRIED = replace(TABLE, rollout=Rollout("shadow"))


async def test_what_is_on_trial_is_recorded_as_let_through_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with audited(tmp_path, TRIED) as found:
        stream = await found.admitted("/v1/s3cret")
        await stream.send(RequestHeaders(end=True), headers(status=201, end=True))
        for _ in range(2):
            await stream.receive()
        await stream.end()
        let_through = {"shadow": True, "route": "", "reason": "not_found", "status": 0}
        assert await found.records() == [{**DENIED, **let_through}]


async def test_on_trial_an_answer_of_envoys_own_is_recorded_as_it_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with audited(tmp_path, TRIED) as found:
        stream = await found.admitted()
        await stream.send(headers("text/plain", 429, end=True))
        await stream.receive()
        await stream.end()
        passed = {"decision": "unfinished", "shadow": True, "status": 429}
        whose = {"principal": "", "tenant": "", "route": "", "epoch": ""}
        assert await found.records() == [{**DENIED, **whose, **passed}]


async def test_on_trial_a_log_that_is_full_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with audited(tmp_path, TRIED, queue=1) as found:
        found.log.add(record(1))
        assert (await found.envoy.check(asking(key="sk-s3cret-of-nobody"))).status.code == 0
        found.log.close()
        assert [(gap.reason, gap.count) for gap in report(tmp_path).gaps] == [("refused", 1)]


async def test_a_reply_of_envoys_own_is_recorded_under_the_name_that_the_client_is_told(
    wired: Audited,
) -> None:
    stream = await wired.envoy.stream(None).send(headers("text/plain", 503))
    answer = (await stream.receive()).immediate_response
    await stream.end()
    named = {one.header.key: one.header.raw_value.decode() for one in answer.headers.set_headers}
    await wired.sidecar.server.stop(grace=5)
    wired.log.close()
    assert [line["request"] for line in said(wired.folder) if line["kind"] == "exchange"] == [
        named["x-request-id"]
    ]
    stranger = {"principal": "", "tenant": "", "route": "", "epoch": ""}
    assert await wired.records() == [
        {**DENIED, **stranger, "reason": "upstream_error", "status": 503}
    ]


async def test_a_log_that_is_full_lets_nobody_in_and_tells_nobody_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with audited(tmp_path, queue=3) as found:
        for number in range(3):
            assert (await found.envoy.check(asking("/v2/models/m/infer"))).status.code == 0
            found.log.add(record(number))
        for key in (KEY, "sk-s3cret-of-nobody"):
            denied = await found.envoy.check(asking(key=key))
            assert denied.denied_response.status.code == 503
            assert "audit" not in str(denied)
        assert found.sidecar.count("extproc_checks_total", outcome="audit_unavailable") == 2
        found.log.close()
        assert [(gap.reason, gap.count) for gap in report(tmp_path).gaps] == [("refused", 2)]


async def test_a_log_that_may_drop_lets_everybody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with audited(tmp_path, queue=3, refuse=False) as found:
        for number in range(9):
            assert (await found.envoy.check(asking("/v2/models/m/infer"))).status.code == 0
            found.log.add(record(number))
        found.log.close()
        assert [(gap.reason, gap.count) for gap in report(tmp_path).gaps] == [("queue", 6)]
