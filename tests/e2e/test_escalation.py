"""Through a real Envoy: an attack is lowered, challenged and blocked, and recovers.

Beside it nobody notices anything.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import httpx
import orjson
import pytest

from extproc.escalation import Case
from extproc.proof_of_work import SOLUTION
from extproc.solve_command import solve
from tests.config.sealed import sealed
from tests.e2e import bodies, triton
from tests.e2e.client import post
from tests.e2e.gateway import KEYS, SECRET, LiveGateway, live_gateway, principal
from tests.e2e.suspecting import command, suspect
from tests.e2e.triton import INFER, ROUTES, Request, Response, Triton, question, served
from tests.e2e.upstream import Upstream, answering, streaming

HOUR: Final = 3600.0
ATTACKER, CUSTOMER, EXEMPT, SPENT = "full", "standard", "rotated", "compared"
LOWERED, CHALLENGED, BLOCKED = 0, 1, 2
POLICY: Final = """\
policies:
  p:
    models: ["*"]
    fidelity: full
    escalation:
      - {above: 0.7, fidelity: labels, for: 1h}
      - {above: 0.9, challenge: {kind: proof_of_work, least: 10ms, most: 20ms}, for: 1h}
      - {above: 0.97, deny: true, for: 1h}
  budgeted:
    models: ["*"]
    fidelity: full
    budgets: [{name: daily, per: tenant, count: queries, max: 1, window: 1d}]
    escalation: [{above: 0.97, deny: true, for: 48h}]
tenants:
  full: {policy: p, principals: [FULL]}
  standard: {policy: p, principals: [STANDARD]}
  rotated: {policy: p, exempt: true, principals: [ROTATED]}
  labels: {policy: p, principals: [LABELS]}
  compared: {policy: budgeted, principals: [COMPARED]}
  slow: {policy: budgeted, principals: [SLOW]}
"""


def policy(text: str) -> str:
    head = text.partition("policies:\n")[0]
    tenants = POLICY
    for name, key in KEYS.items():
        tenants = tenants.replace(f"[{name.upper()}]", f'["{principal(key)}"]')
    detection = "detection: {reference: reference, on_loss: {fidelity: labels}}\n"
    return head.replace("routes:\n", f"{detection}routes:\n", 1) + tenants


def grpc_policy(text: str) -> str:
    """Of one route alone."""
    return policy(text.partition("routes:\n")[0] + ROUTES + text[text.index("\nfidelities") :])


@dataclass
class Attacked:
    gateway: LiveGateway
    folder: Path

    def suspect(self, step: int, since: float | None = None, **more: Any) -> None:
        """The attacker, and with it the exempt, who are told apart by nothing else."""
        case = Case(0.99, step, time.time() if since is None else since, **more)  # noqa: TID251
        suspect(self.folder, **{ATTACKER: case, EXEMPT: case, "slow": case})

    def infer(self, tenant: str = ATTACKER, **headers: str) -> httpx.Response:
        return post(self.gateway, bodies.INFER, bodies.infer_request(), tenant, headers=headers)

    def chat(self, tenant: str = ATTACKER) -> httpx.Response:
        body = bodies.chat_request(stream=True, logprobs=True)
        return post(self.gateway, bodies.CHAT, body, tenant)


@pytest.fixture(scope="module")
def running_attacked(
    scripted: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "reference").write_bytes(sealed(SECRET))
    with live_gateway(folder, scripted.port, policy=policy, command=command) as gateway:
        yield Attacked(gateway, folder)


@pytest.fixture
def attacked(running_attacked: Attacked, upstream: Upstream) -> Iterator[Attacked]:
    suspect(running_attacked.folder)
    upstream.script = answering(bodies.infer_answer())
    before = running_attacked.gateway.fail_open_events()
    yield running_attacked
    assert running_attacked.gateway.fail_open_events() == before


def seen(answer: httpx.Response) -> tuple[Any, ...]:
    """All that a client gets, but for what no two answers have in common."""
    apart = {"date", "x-request-id"}
    fields = [(name, value) for name, value in answer.headers.raw if name.decode() not in apart]
    return answer.status_code, fields, answer.content


def exact(answer: httpx.Response) -> bool:
    return b"0.6061728394506173" in answer.content


def test_an_attack_is_lowered_challenged_and_blocked_and_recovers_and_nobody_else_notices(
    attacked: Attacked, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    before = seen(attacked.infer())
    others = {tenant: seen(attacked.infer(tenant)) for tenant in (CUSTOMER, EXEMPT)}
    assert others == {CUSTOMER: before, EXEMPT: before}

    def untouched() -> bool:
        return {tenant: seen(attacked.infer(tenant)) for tenant in others} == others

    attacked.suspect(LOWERED)
    lowered = attacked.infer()
    assert lowered.json()["outputs"][0]["data"] == [0.0, 1.0, 0.0, 0.0]
    assert untouched()

    attacked.suspect(CHALLENGED)
    upstream.requests.clear()
    posed = attacked.infer()
    assert (posed.status_code, upstream.requests) == (429, [])
    assert solve(posed.headers["x-extproc-challenge"]) == 0
    solution = capsys.readouterr().out.strip()
    passed = attacked.infer(**{SOLUTION: solution})
    assert seen(passed) == seen(lowered), "work buys no finer answer"
    assert attacked.infer(**{SOLUTION: solution}).status_code == 429, "nor twice the same"
    assert untouched()

    attacked.suspect(BLOCKED)
    upstream.requests.clear()
    blocked = attacked.infer()
    assert (blocked.status_code, upstream.requests) == (429, [])
    assert "x-extproc-challenge" not in blocked.headers
    assert untouched()

    attacked.suspect(BLOCKED, time.time() - HOUR)  # noqa: TID251
    assert seen(attacked.infer()) == before


def test_who_has_stood_there_for_its_time_is_served_as_before(attacked: Attacked) -> None:
    before = seen(attacked.infer())
    attacked.suspect(LOWERED, time.time() - HOUR + 1.0)  # noqa: TID251
    assert not exact(attacked.infer())
    attacked.gateway.until(lambda: exact(attacked.infer()))
    assert seen(attacked.infer()) == before


def test_a_stream_is_lowered_and_blocked_too(attacked: Attacked, upstream: Upstream) -> None:
    stream = bodies.chat_stream("one", "two")
    upstream.script = streaming(stream[:100], stream[100:])
    before = seen(attacked.chat())
    assert bodies.SECRET.encode() in before[-1]
    attacked.suspect(LOWERED)
    lowered = attacked.chat()
    assert b"two" in lowered.content
    assert bodies.SECRET.encode() not in lowered.content
    assert seen(attacked.chat(CUSTOMER)) == seen(attacked.chat(EXEMPT)) == before
    attacked.suspect(BLOCKED)
    assert attacked.chat().status_code == 429
    assert seen(attacked.chat(CUSTOMER)) == before


def test_whoever_is_blocked_sees_what_they_see_whose_budget_is_used_up(
    attacked: Attacked, upstream: Upstream
) -> None:
    attacked.suspect(LOWERED)  # the one step of that policy
    attacked.infer(SPENT)
    upstream.requests.clear()
    assert seen(attacked.infer("slow")) == seen(attacked.infer(SPENT))
    malformed = [post(attacked.gateway, bodies.INFER, b"{", each) for each in ("slow", SPENT)]
    assert seen(malformed[0]) == seen(malformed[1])
    assert upstream.requests == []
    assert attacked.infer(SPENT).json() == {"error": "Too many requests."}


def test_what_an_operator_froze_is_refused_and_what_one_trusts_is_served(
    attacked: Attacked,
) -> None:
    before = seen(attacked.infer())
    attacked.suspect(BLOCKED, override="trusted")
    assert seen(attacked.infer()) == before
    attacked.suspect(-1, override="frozen")
    frozen = [attacked.infer(tenant) for tenant in (ATTACKER, EXEMPT)]
    assert [each.status_code for each in frozen] == [429, 429]
    assert seen(attacked.infer(CUSTOMER)) == before


def test_after_a_loss_those_who_are_new_are_lowered_but_for_the_exempt(attacked: Attacked) -> None:
    before = seen(attacked.infer())
    attacked.suspect(-1, lost=time.time() + HOUR)  # noqa: TID251
    assert not exact(attacked.infer())
    assert seen(attacked.infer(EXEMPT)) == before


def test_a_grpc_answer_is_lowered_and_blocked_too(tmp_path: Path) -> None:
    (tmp_path / "reference").write_bytes(sealed(SECRET))
    model = Triton()
    with (
        served(model) as port,
        live_gateway(tmp_path, port, http2=True, policy=grpc_policy, command=command) as gateway,
        grpc.insecure_channel(f"{gateway.host}:{gateway.port}") as channel,
    ):
        stub = channel.unary_unary(INFER, Request.SerializeToString, Response.FromString)
        attacked = Attacked(gateway, tmp_path)

        def infer(tenant: str) -> Any:
            metadata = (("authorization", bodies.headers(tenant)["authorization"]),)
            return stub(question(), metadata=metadata, timeout=20)

        before = infer(ATTACKER)
        attacked.suspect(LOWERED)
        lowered = infer(ATTACKER)
        assert lowered != before
        assert triton.PROBABILITIES.astype("<f4").tobytes() in before.raw_output_contents
        assert triton.PROBABILITIES.astype("<f4").tobytes() not in lowered.raw_output_contents
        attacked.suspect(BLOCKED)
        asked = len(model.requests)
        with pytest.raises(grpc.RpcError) as refused:
            infer(ATTACKER)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert len(model.requests) == asked
        assert infer(CUSTOMER) == infer(EXEMPT) == before
        assert gateway.fail_open_events() == 0


def test_the_record_alone_says_so(attacked: Attacked) -> None:
    attacked.suspect(BLOCKED)
    refused = attacked.infer()
    wanted = '"code":"suspected"', '"detail":"escalation:2:deny"'
    attacked.gateway.until(
        lambda: any(all(each in line for each in wanted) for line in attacked.gateway.log)
    )
    told = orjson.dumps([*map(str, refused.headers.raw)]) + refused.content
    assert not [word for word in (b"suspect", b"escalation", b"deny") if word in told]
