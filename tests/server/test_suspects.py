"""Over real gRPC: what the suspected get is what they get whose limits are used up."""

import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson
import pytest

from extproc._pb.envoy.config.core.v3.base_pb2 import HeaderValueOption
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest
from extproc.config import compile_table, load
from extproc.errors import StoreUnavailable
from extproc.escalation import NOBODY, Case
from extproc.events import CheckedRequest, RequestBody, RequestHeaders, ResponseBody
from extproc.limits import SECOND, Charge, Refused, Taken
from extproc.proof_of_work import SOLUTION, read_challenge
from extproc.refusal import CHALLENGE
from extproc.server.protobuf import AUTHZ, handover
from extproc.server.suspects import Unsuspecting
from extproc.stores.memory import MemoryCounters
from tests.playbook import headers
from tests.server.wire import Envoy, Sidecar, running
from tests.test_proof_of_work import solved

KEY = "0" * 32
MOST = 3
"""Requests of every limit."""
NOW = 1_800_000_000.0
TENANTS = ("used", "suspect", "other", "exempt")
BUDGET = "count: queries, max: 3, per: tenant, window: 1d"
CHEAP = "{kind: proof_of_work, least: 10ms, most: 100ms}"
STEPS = {
    "throttle": "{above: 0.9, throttle: {max: 1, window: 1m}, for: 2d}",
    "fidelity": "{above: 0.9, fidelity: coarse, for: 2d}",
    "challenge": f"{{above: 0.9, challenge: {CHEAP}, for: 2d}}",
    "deny": "{above: 0.9, deny: true, for: 2d}",
}
LIMITS = {
    "throttle": "limits: [{name: burst, count: requests, max: 3, per: tenant, window: 3m}]",
    "fidelity": f"budgets: [{{name: daily, {BUDGET}, exhausted: {{fidelity: coarse}}}}]",
    "challenge": f"budgets: [{{name: daily, {BUDGET}, exhausted: {{challenge: {CHEAP}}}}}]",
    "deny": f"budgets: [{{name: daily, {BUDGET}}}]",
    "early": "limits: [{name: burst, count: requests, max: 3, per: tenant, window: 1h}]",
    "nothing": "repeatable: true",
}
ASK = orjson.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [1]}]})
ANSWER = orjson.dumps(
    {
        "model_name": "m",
        "outputs": [
            {"name": "probs", "datatype": "FP32", "shape": [1, 2], "data": [0.123456, 0.876544]}
        ],
    }
)


def policy(limits: str, step: str, more: str = "") -> str:
    owners = "\n".join(
        f"  {name}: {{policy: p, {'exempt: true, ' if name == 'exempt' else ''}principals: "
        f'["key:{hmac.digest(KEY.encode(), name.encode(), "sha256").hex()}"]}}'
        for name in TENANTS
    )
    return f"""\
version: 1
listen: unix:///run/extproc.sock
health: 127.0.0.1:9101
keys: {{hmac: "env:HMAC"}}
detection: {{reference: none, on_loss: {{fidelity: coarse}}{more}}}
routes:
  - path: "/v2/models/{{model}}/infer"
    dialect: {{kind: kserve_v2, outputs: {{probs: probabilities}}}}
    sizes: {{probabilities: 2}}
fidelities:
  exact: {{probabilities: pass}}
  coarse: {{probabilities: [{{kind: round, digits: 1}}]}}
policies:
  p:
    models: ["*"]
    fidelity: exact
    escalation: [{step}]
    {limits}
tenants:
{owners}
"""


class Known:
    """What a test suspects."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}

    def case(self, tenant: str, principal: str) -> Case:
        return self.cases.get(tenant, NOBODY)


@dataclass
class Got:
    """All that a client sees, but for what no two answers have in common."""

    status: int
    headers: dict[str, str]
    body: bytes
    puzzle: Any = None

    @property
    def shown(self) -> tuple[Any, ...]:
        return self.status, [*self.headers.items()], self.body


class Store(MemoryCounters):
    down = False
    asked = 0

    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        self.asked += 1
        if self.down:
            raise StoreUnavailable("down")
        return await super().take(charges, final=final)


@dataclass
class Rig:
    sidecar: Sidecar
    envoy: Envoy
    store: Store
    known: Known = field(default_factory=Known)

    def suspect(self, *, step: int = 0, **more: Any) -> Self:
        self.known.cases["suspect"] = Case(0.95, step, NOW, **more)
        return self

    async def ask(self, tenant: str, body: bytes = ASK, solution: str = "") -> Got:
        asked = {"content-type": "application/json", "authorization": f"Bearer {tenant}"}
        asked |= {SOLUTION: solution} if solution else {}
        request = CheckedRequest("POST", "/v2/models/m/infer", asked)
        found = await self.envoy.check(request)
        if found.status.code:
            denied = found.denied_response
            return got(denied.status.code, denied.headers, denied.body.encode())
        message = ProcessingRequest()
        message.metadata_context.filter_metadata[AUTHZ].CopyFrom(found.dynamic_metadata)
        stream = self.envoy.stream(handover(message))
        await stream.send(RequestHeaders(end=False), RequestBody(body, end=True))
        reply = await stream.receive()
        if not reply.HasField("immediate_response"):
            await stream.send(headers(), ResponseBody(ANSWER, end=True))
            answer = (await stream.receive()).response_headers.response
            await stream.end()
            mutated = answer.header_mutation.set_headers
            return got(200, mutated, answer.body_mutation.body)
        refused = reply.immediate_response
        await stream.end()
        return got(refused.status.code, refused.headers.set_headers, refused.body)

    def checks(self, outcome: str) -> float:
        return self.sidecar.count("extproc_checks_total", outcome=outcome)


def got(status: int, fields: Any, body: bytes) -> Got:
    found: dict[str, str] = {}
    for option in fields:
        assert isinstance(option, HeaderValueOption)
        header = option.header
        found[header.key] = header.value or header.raw_value.decode()
    assert len(found.pop("x-request-id", "0" * 16)) == 16  # a denial has it of ext_proc
    puzzle = read_challenge(found.get(CHALLENGE, ""))
    if puzzle is not None:
        found[CHALLENGE] = "signed, and drawn anew each time"
        body = orjson.dumps({**orjson.loads(body), "challenge": "as in the header"})
    return Got(int(status), found, body, puzzle)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def rigs(place: Path, text: str) -> AsyncIterator[Rig]:
    (place / "policy.yaml").write_text(text)
    table = compile_table(load(place / "policy.yaml"), {"HMAC": KEY})
    known = Known()
    store = Store(clock=lambda: int(NOW * SECOND))
    async with running(Path("s"), table, store, suspects=known) as (sidecar, envoy):
        assert sidecar.wall.now == NOW
        yield Rig(sidecar, envoy, store, known)


@pytest.fixture
async def rig(place: Path, request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async for each in rigs(place, policy(*request.param)):
        yield each


def by(limit: str, step: str, more: str = "") -> tuple[str, str, str]:
    return LIMITS[limit], STEPS[step], more


ALIKE = [
    by("fidelity", "fidelity"),
    by("challenge", "challenge"),
    by("deny", "deny"),
    by("early", "deny"),
]
"""A limit, and a step that is told as that."""


@pytest.mark.parametrize("rig", ALIKE, indirect=True)
async def test_the_suspected_get_what_they_get_who_have_used_theirs_up(rig: Rig) -> None:
    first, *_, used = [await rig.ask("used") for _ in range(MOST + 1)]
    assert (first.status, b"0.123456" in first.body) == (200, True)
    suspect = await rig.suspect().ask("suspect")
    assert suspect.shown == used.shown
    assert used.shown != first.shown
    if used.puzzle is not None:
        ours, theirs = (got.puzzle["parameters"] for got in (suspect, used))
        assert ours.keys() == theirs.keys()
        assert ours["cost"] >= theirs["cost"]  # as much more as is suspected


@pytest.mark.parametrize(
    "rig",
    [
        *ALIKE,
        by("throttle", "throttle"),
        by("throttle", "deny"),
        by("fidelity", "deny"),
        by("deny", "challenge"),
    ],
    indirect=True,
)
async def test_so_they_do_while_the_store_is_down_or_an_operator_has_stopped_them(rig: Rig) -> None:
    for _ in range(MOST + 1):
        await rig.ask("used")
    rig.suspect()
    rig.known.cases["exempt"] = Case(override="frozen")
    rig.store.down = True
    used, suspect, frozen = [await rig.ask(each) for each in ("used", "suspect", "exempt")]
    assert used.status == 503
    assert used.shown == suspect.shown == frozen.shown
    rig.store.down = False
    for tenant in ("used", "suspect"):
        await rig.store.freeze(tenant, frozen=True)
    used, suspect, frozen = [await rig.ask(each) for each in ("used", "suspect", "exempt")]
    assert (used.status, used.headers["retry-after"]) == (429, "3600")
    assert used.shown == suspect.shown == frozen.shown


@pytest.mark.parametrize(
    "rig", [by("nothing", each) for each in ("fidelity", "challenge", "deny")], indirect=True
)
async def test_where_no_limit_would_ask_the_store_no_step_does(rig: Rig) -> None:
    shown = (await rig.suspect().ask("suspect")).shown
    rig.store.down = True
    assert (await rig.ask("suspect")).shown == shown
    assert rig.store.asked == 0


@pytest.mark.parametrize("rig", [by("throttle", "throttle")], indirect=True)
async def test_whom_a_step_slows_is_refused_as_by_a_limit_that_is_used_up(rig: Rig) -> None:
    used = [await rig.ask("used") for _ in range(MOST + 1)][-1]
    rig.suspect()
    served = await rig.ask("suspect")
    assert (served.status, served.headers["x-ratelimit-remaining-requests"]) == (200, "0")
    refused = await rig.ask("suspect")
    assert refused.shown == used.shown
    assert (rig.checks("suspected"), rig.checks("rate_limit_exceeded")) == (1, 1)


@pytest.mark.parametrize("rig", [by("deny", "deny"), by("nothing", "deny")], indirect=True)
async def test_whatever_an_operator_has_frozen_is_refused_and_what_is_trusted_is_not(
    rig: Rig,
) -> None:
    rig.known.cases = {
        "suspect": Case(override="frozen"),
        "exempt": Case(override="frozen"),
        "other": Case(0.99, 0, NOW, override="trusted"),
    }
    for tenant in ("suspect", "exempt"):
        frozen = await rig.ask(tenant)
        assert (frozen.status, frozen.headers["retry-after"]) == (429, "3600")
    assert rig.checks("tenant_stopped") == 2
    assert (await rig.ask("other")).shown == (await rig.ask("used")).shown


@pytest.mark.parametrize(
    "rig", [by("nothing", each) for each in ("fidelity", "challenge", "deny")], indirect=True
)
async def test_an_exempt_tenant_and_one_of_whom_nothing_is_known_are_served_as_ever(
    rig: Rig,
) -> None:
    before = await rig.ask("other")
    rig.suspect()
    rig.known.cases["exempt"] = Case(0.999, 0, NOW)
    changed = await rig.ask("suspect")
    assert changed.shown != before.shown
    assert (await rig.ask("exempt")).shown == before.shown
    assert (await rig.ask("other")).shown == before.shown


@pytest.mark.parametrize("rig", [by("nothing", each) for each in STEPS], indirect=True)
async def test_a_step_ends_by_itself(rig: Rig) -> None:
    before = await rig.ask("other")
    rig.suspect()
    await rig.ask("suspect")
    rig.sidecar.wall.now += 2 * 86_400
    assert (await rig.ask("suspect")).shown == before.shown


@pytest.mark.parametrize(
    "rig", [by("nothing", each, ", mode: shadow") for each in STEPS], indirect=True
)
async def test_on_trial_nothing_changes_and_what_would_is_counted(rig: Rig) -> None:
    before = await rig.ask("other")
    rig.suspect()
    for _ in range(2):
        assert (await rig.ask("suspect")).shown == before.shown
    counted = {name: rig.checks(f"shadow:{name}") for name in STEPS}
    assert sorted(counted.values()) == [0, 0, 0, 2]


@pytest.mark.parametrize("rig", [by("challenge", "challenge")], indirect=True)
async def test_a_challenge_is_solved_once_and_only_by_whose_it_is(rig: Rig) -> None:
    rig.suspect()
    posed = await rig.ask("suspect")
    rig.known.cases["other"] = rig.known.cases["suspect"]
    answer = solved(posed.puzzle)
    assert (await rig.ask("other", solution=answer)).status == 429
    assert (await rig.ask("suspect", solution=answer)).status == 200
    assert (await rig.ask("suspect", solution=answer)).status == 429
    codes = [line.get("outcome") for line in rig.sidecar.recorded()]
    assert codes == ["challenged", "solution_foreign", "served", "solution_spent"]


@pytest.mark.parametrize("rig", [by("deny", "deny")], indirect=True)
async def test_the_record_alone_tells_why(rig: Rig) -> None:
    for _ in range(MOST + 1):
        await rig.ask("used")
    assert b"suspect" not in (await rig.suspect().ask("suspect")).body
    lines = [each for each in rig.sidecar.recorded() if each["message"] == "exchange"]
    told = [(each["outcome"], each["fault"], each["step"]) for each in lines]
    assert told[MOST - 1 :] == [
        ("served", "", ""),
        ("rate_limit_exceeded", "daily", ""),
        ("suspected", "escalation:0:deny", "deny"),
    ]


@pytest.mark.parametrize("rig", [by("nothing", "deny")], indirect=True)
async def test_those_who_are_new_since_a_loss_are_lowered_for_a_time(rig: Rig) -> None:
    exact = await rig.ask("other")
    rig.known.cases["suspect"] = Case(lost=NOW + 60)
    assert b"0.123456" not in (await rig.ask("suspect")).body
    rig.sidecar.wall.now += 60
    assert (await rig.ask("suspect")).shown == exact.shown


@pytest.mark.parametrize(
    ("rig", "body", "status"),
    [(by("deny", "deny"), b"{", 400), (by("early", "deny"), b"{", 429)],
    indirect=["rig"],
)
async def test_what_is_malformed_is_found_before_or_after_as_with_the_limit(
    rig: Rig, body: bytes, status: int
) -> None:
    for _ in range(MOST):
        await rig.ask("used")
    used = await rig.ask("used", body)
    assert (await rig.suspect().ask("suspect", body)).shown == used.shown
    assert used.status == status


async def test_where_nobody_looks_nobody_is_suspected() -> None:
    assert Unsuspecting().case("acme", "key:1") is NOBODY


def test_a_header_that_no_limit_has_would_be_seen() -> None:
    one, other = ({"a": "1"}, {"a": "1", "b": "2"})
    assert Got(200, one, b"").shown != Got(200, other, b"").shown
    assert isinstance(one, Mapping)
