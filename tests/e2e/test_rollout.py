"""A file is put in force step by step behind a real Envoy, which is never restarted: nobody looks,
all is decided and passes, some tenants are met, all are.
"""

import httpx
import pytest

from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import KEYS, LiveGateway
from tests.e2e.reloaded import Reloaded, put_in_force
from tests.e2e.upstream import Reply, Request, Upstream

CHAT = "/v1/chat/completions"
STRANGER = {"authorization": "Bearer sk-of-the-model-server", "content-type": "application/json"}
ODD = b'{"not":"what","any":"dialect","knows":[1,2,3]}'


@pytest.fixture
def gateway(remounted: LiveGateway, upstream: Upstream) -> LiveGateway:
    upstream.script = leaking
    return remounted


async def leaking(_: Request, reply: Reply) -> None:
    await reply.document(bodies.chat_answer(), server="models/1")


def roll_out(gateway: LiveGateway, reloaded: Reloaded, rollout: str) -> None:
    text = f"{reloaded.text}\nrollout: {{{rollout}}}\n"
    put_in_force(gateway, reloaded, reloaded.files(text))


def ask(gateway: LiveGateway, path: str, body: bytes, **headers: str) -> httpx.Response:
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        return client.post(path, content=body, headers={**STRANGER, **headers})


def met(gateway: LiveGateway, tenant: str) -> bool:
    """Whether its answer is cut, as its policy has it."""
    answer = post(gateway, CHAT, bodies.chat_request(logprobs=True), tenant)
    assert answer.status_code == 200, answer.text
    return answer.content != bodies.chat_answer()


def test_off_everything_passes_as_it_came_whoever_asks_for_what(
    gateway: LiveGateway, upstream: Upstream, reloaded: Reloaded
) -> None:
    roll_out(gateway, reloaded, "mode: off")
    for path in (CHAT, "/nowhere/of/any/route?x=1"):
        answer = ask(gateway, path, ODD, **{"accept-encoding": "gzip", "if-none-match": "x"})
        assert (answer.status_code, answer.content) == (200, bodies.chat_answer())
        assert answer.headers["server"] == "models/1"
        asked = upstream.requests[-1]
        assert (asked.path, asked.body) == (path, ODD)
        assert asked.headers["authorization"] == STRANGER["authorization"]
        assert asked.headers["if-none-match"] == "x"
    assert reloaded.metric('extproc_checks_total{outcome="off"}') == 2


def test_in_the_shadow_everything_passes_and_what_would_have_been_is_told(
    gateway: LiveGateway, upstream: Upstream, reloaded: Reloaded
) -> None:
    roll_out(gateway, reloaded, "mode: shadow")
    for path in (CHAT, "/nowhere/of/any/route?x=1"):
        answer = ask(gateway, path, ODD)
        assert (answer.status_code, answer.content) == (200, bodies.chat_answer())
        assert upstream.requests[-1].body == ODD
        assert upstream.requests[-1].headers["authorization"] == STRANGER["authorization"]
    assert not met(gateway, "standard")
    # The model server may need what tells it who asks.
    assert upstream.requests[-1].headers["authorization"] == f"Bearer {KEYS['standard']}"
    for _ in range(4):  # more than its limit
        assert not met(gateway, "slow")
    assert reloaded.metric('extproc_checks_total{outcome="shadow:key_unknown"}') == 2
    assert reloaded.metric('extproc_checks_total{outcome="shadow:rate_limit_exceeded"}') == 2
    gateway.until(lambda: any('"shadow":true' in line for line in gateway.log))


def test_an_error_of_envoys_own_passes_as_it_is_while_nobody_is_met(
    gateway: LiveGateway, reloaded: Reloaded
) -> None:
    """Envoy answers 400 by itself to what it never asks ext_authz about."""
    found = {}
    for rollout in ("mode: shadow", "mode: enforce"):
        roll_out(gateway, reloaded, rollout)
        with httpx.Client(base_url=gateway.url, timeout=30) as client:
            found[rollout] = client.get("/%2f", headers=STRANGER)
    assert {each.status_code for each in found.values()} == {400}
    assert found["mode: shadow"].content != found["mode: enforce"].content


def test_a_share_of_tenants_is_met_and_strangers_last(
    gateway: LiveGateway, reloaded: Reloaded
) -> None:
    tenants, before = ("full", "standard", "labels"), frozenset[str]()
    for percent in (1, 30, 60, 99):
        roll_out(gateway, reloaded, f"percent: {percent}")
        now = frozenset(name for name in tenants if name != "full" and met(gateway, name))
        assert before <= now
        before = now
        assert ask(gateway, CHAT, ODD).content == bodies.chat_answer()
    roll_out(gateway, reloaded, "mode: enforce")
    assert met(gateway, "standard")
    assert met(gateway, "labels")
    assert ask(gateway, CHAT, ODD).status_code == 401


def test_what_went_untouched_before_is_met_at_once_when_it_is_in_force(
    gateway: LiveGateway, reloaded: Reloaded
) -> None:
    for rollout, status in (("mode: off", 200), ("mode: enforce", 401), ("mode: off", 200)):
        roll_out(gateway, reloaded, rollout)
        assert ask(gateway, CHAT, ODD).status_code == status
