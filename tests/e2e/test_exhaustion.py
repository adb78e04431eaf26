"""Through a real Envoy: what happens when a budget is used up, and what callers are told of it."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import altcha
import anthropic
import grpc
import httpx
import openai
import orjson
import pytest

from extproc.proof_of_work import read_challenge
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import KEYS, POLICY, LiveGateway, live_gateway
from tests.e2e.triton import INFER, ROUTES, Request, Response, Triton, question, served
from tests.e2e.upstream import Upstream, answering
from tests.issuer import AUDIENCE, NAME, RSA, jwks, token

ROOT = POLICY.parents[2]
MESSAGES = "/v1/messages"
SOLUTION = "x-extproc-solution"

CREDENTIALS = f"""\
credentials:
  keys: {{kind: api_key}}
  signed:
    kind: jwt
    issuer: "{NAME}"
    audience: "{AUDIENCE}"
    jwks: "file:jwks"
    algorithms: [RS256]
    tenant: org
limits: [{{name: everybody, per: route, count: requests, max: 1000, window: 1m}}]
routes:
  - {{path: {MESSAGES}, dialect: anthropic_messages}}
"""
POLICIES = """\
policies:
  standard:
    models: ["*"]
    fidelity: standard
    limits: [{name: burst, per: principal, count: requests, max: 200, window: 1m}]
    budgets:
      - name: work
        per: tenant
        count: queries
        max: 2
        window: 1d
        exhausted: {challenge: {kind: proof_of_work, least: 20ms, most: 40ms}}
  full:
    models: ["*"]
    fidelity: full
    limits: [{name: burst, per: principal, count: requests, max: 200, window: 1m}]
    budgets:
      - name: exact
        per: tenant
        count: queries
        max: 2
        window: 1d
        exhausted: {fidelity: labels}
  labels:
    models: ["*"]
    fidelity: labels
    budgets:
      - name: proven
        per: tenant
        count: queries
        max: 2
        window: 1d
        exhausted: {acr: [gold, mfa]}
  rotated:
    models: ["*"]
    fidelity: labels
    budgets:
      - name: slowly
        per: tenant
        count: queries
        max: 2
        window: 1d
        exhausted: {throttle: {max: 1, window: 1h}}
  compared:
    models: ["*"]
    fidelity: labels
    limit_headers: []
    budgets: [{name: paid, per: tenant, count: queries, max: 2, window: 1d, exhausted: deny}]
  shadow:
    mode: shadow
    models: [digits]
    fidelity: labels
    budgets: [{name: trial, per: tenant, count: queries, max: 2, window: 1d}]
  slow:
    models: ["*"]
    fidelity: labels
    length: {buckets: 2048}
    budgets:
      - name: hidden
        per: tenant
        count: queries
        max: 2
        window: 1d
        exhausted: {challenge: {kind: proof_of_work, least: 20ms, most: 40ms}}

tenants:
"""


def changed(text: str) -> str:
    head, policies, rest = text.partition("policies:\n")
    assert policies
    head = head.replace("routes:\n", CREDENTIALS, 1)
    return head + POLICIES + rest.partition("tenants:\n")[2]


@pytest.fixture(scope="module")
def running_exhausting(
    scripted: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("exhausting")
    (folder / "jwks").write_bytes(jwks(RSA))
    with live_gateway(folder, scripted.port, policy=changed) as gateway:
        yield gateway


@pytest.fixture
def exhausting(running_exhausting: LiveGateway, upstream: Upstream) -> Iterator[LiveGateway]:
    upstream.script = answering(bodies.infer_answer())
    before = running_exhausting.fail_open_events()
    yield running_exhausting
    assert running_exhausting.fail_open_events() == before


def infer(gateway: LiveGateway, tenant: str = "standard", **headers: str) -> httpx.Response:
    return post(gateway, bodies.INFER, bodies.infer_request(), tenant, headers=headers)


def exhaust(gateway: LiveGateway, upstream: Upstream, tenant: str = "standard") -> httpx.Response:
    """The answer to a request for which nothing is left, whatever tests ran before."""
    answers = [infer(gateway, tenant) for _ in range(3)]
    upstream.requests.clear()
    return answers[-1]


def solved(answer: httpx.Response | Any) -> str:
    return answered(answer.json()["challenge"])


def answered(given: dict[str, Any]) -> str:
    challenge = altcha.Challenge.from_dict(given)
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


def outcomes(gateway: LiveGateway, exchange: str) -> list[str]:
    """What the sidecar recorded of an exchange, once it has."""

    def found() -> list[str]:
        return [each for each in gateway.log if exchange in each and '"message":"exchange"' in each]

    gateway.until(lambda: bool(found()))
    lines = found()
    return [orjson.loads(line.partition("| ")[2])["outcome"] for line in lines]


def test_work_lets_one_request_pass_and_the_model_server_sees_nothing_of_it(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    refused = exhaust(exhausting, upstream)
    assert refused.status_code == 429
    assert refused.headers["x-should-retry"] == "false"
    assert refused.headers["retry-after"] == "172800"
    assert outcomes(exhausting, refused.headers["x-request-id"]) == ["challenged"]
    solution = solved(refused)
    answers = [infer(exhausting, **{SOLUTION: solution}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert outcomes(exhausting, answers[1].headers["x-request-id"]) == ["solution_spent"]
    assert len(upstream.requests) == 1
    assert SOLUTION not in upstream.requests[0].headers


def test_of_many_requests_at_once_one_passes_for_one_solution(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    solution = solved(exhaust(exhausting, upstream))
    with ThreadPoolExecutor(16) as pool:
        sent = [pool.submit(infer, exhausting, **{SOLUTION: solution}) for _ in range(16)]
        statuses = sorted(each.result().status_code for each in sent)
    assert statuses == [200] + [429] * 15
    assert len(upstream.requests) == 1


def test_what_is_no_solution_gets_a_new_challenge(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    refused = exhaust(exhausting, upstream)
    others = solved(exhaust(exhausting, upstream, "slow"))
    nonces = {orjson.dumps(refused.json()["challenge"])}
    for text, outcome in (
        (others, "solution_foreign"),
        ("nonsense", "solution_malformed"),
        (solved(refused) + "A" * 5000, "solution_malformed"),
    ):
        again = infer(exhausting, **{SOLUTION: text})
        assert again.status_code == 429
        assert outcomes(exhausting, again.headers["x-request-id"]) == [outcome]
        nonces.add(orjson.dumps(again.json()["challenge"]))
    assert len(nonces) == 4
    assert upstream.requests == []


def test_work_for_a_small_request_does_not_let_a_large_one_pass(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    small = exhaust(exhausting, upstream)
    image = {"name": "image", "shape": [16, 2], "datatype": "FP32", "data": [0.5] * 32}
    body, headers = orjson.dumps({"inputs": [image]}), {SOLUTION: solved(small)}
    large = post(exhausting, bodies.INFER, body, headers=headers)
    assert outcomes(exhausting, large.headers["x-request-id"]) == ["solution_cheap"]
    costs = [each.json()["challenge"]["parameters"]["cost"] for each in (small, large)]
    assert costs[0] < costs[1]
    assert upstream.requests == []
    assert infer(exhausting, **headers).status_code == 200  # that was not spent


def test_the_challenge_is_in_a_header_field_too_and_the_command_solves_it(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    refused = exhaust(exhausting, upstream)
    ended = subprocess.run(
        [sys.executable, "-m", "extproc", "solve", refused.headers["x-extproc-challenge"]],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=True,
    )
    assert infer(exhausting, **{SOLUTION: ended.stdout.strip()}).status_code == 200


def test_the_example_client_asks_solves_and_asks_again(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    exhaust(exhausting, upstream)
    example = ROOT / "docs" / "examples" / "solve.py"
    url, body = exhausting.url + bodies.INFER, bodies.infer_request().decode()
    ended = subprocess.run(
        [sys.executable, str(example), url, KEYS["standard"], body],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.startswith('200 {"model_name"')
    assert len(upstream.requests) == 1


def test_openais_client_raises_once_and_passes_with_the_solution(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    exhaust(exhausting, upstream)
    upstream.script = answering(bodies.chat_answer())
    client = openai.OpenAI(api_key=KEYS["standard"], base_url=f"{exhausting.url}/v1")
    asked: Any = {"model": "tiny-lm", "messages": [{"role": "user", "content": "hello"}]}
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(**asked)
    assert upstream.requests == []
    headers = {SOLUTION: solved(caught.value.response)}
    raw = client.chat.completions.with_raw_response.create(**asked, extra_headers=headers)
    assert raw.parse().choices[0].message.content == "hi"
    assert raw.headers["x-ratelimit-limit-requests"] == "200"
    assert raw.headers["x-ratelimit-reset-requests"].endswith("s")
    client.close()


def test_anthropics_client_raises_once_and_passes_with_the_solution(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    exhaust(exhausting, upstream)
    upstream.script = answering(
        orjson.dumps(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [{"type": "text", "text": "hi"}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 1, "output_tokens": 1},
            }
        )
    )
    client = anthropic.Anthropic(api_key=KEYS["standard"], base_url=exhausting.url)
    asked: Any = {
        "model": "m",
        "max_tokens": 4,
        "messages": [{"role": "user", "content": "hello"}],
    }
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(**asked)
    assert upstream.requests == []
    headers = {SOLUTION: solved(caught.value.response)}
    raw = client.messages.with_raw_response.create(**asked, extra_headers=headers)
    assert raw.headers["anthropic-ratelimit-requests-limit"] == "200"
    reset = datetime.fromisoformat(raw.headers["anthropic-ratelimit-requests-reset"])
    assert reset > datetime.now(UTC)
    assert not [name for name in raw.headers if name.startswith("x-ratelimit")]
    client.close()


def test_where_lengths_are_hidden_a_challenge_is_filled_up_and_has_no_fields_of_its_own(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    refused = exhaust(exhausting, upstream, "slow")
    assert (refused.status_code, len(refused.content)) == (429, 2048)
    passed = infer(exhausting, "slow", **{SOLUTION: solved(refused)})
    assert passed.status_code == 200
    for answer in (refused, passed):
        assert not [name for name in answer.headers if "limit" in name or "extproc" in name]


def test_a_lower_tier_is_what_answers_are_served_at(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    lowered = exhaust(exhausting, upstream, "full")
    assert lowered.status_code == 200
    assert lowered.json()["outputs"][0]["data"] == [0.0, 1.0, 0.0, 0.0]
    assert lowered.headers["ratelimit"].startswith('"exact";r=0;t=')


def test_a_stronger_credential_is_asked_for_and_lets_pass(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    refused = exhaust(exhausting, upstream, "labels")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == (
        'Bearer realm="extproc", error="insufficient_user_authentication", acr_values="gold mfa"'
    )
    now = datetime.now(UTC).timestamp()
    times: dict[str, Any] = {"iat": now - 5, "exp": now + 300}
    for acr, status in (("silver", 401), ("mfa", 200)):
        shown = token(RSA, "RS256", **{"org": "labels", "acr": acr, **times})
        answer = infer(exhausting, "labels", authorization=f"Bearer {shown}")
        assert answer.status_code == status
    assert len(upstream.requests) == 1


def test_a_slower_rate_is_what_is_left(exhausting: LiveGateway, upstream: Upstream) -> None:
    throttled = exhaust(exhausting, upstream, "rotated")
    assert throttled.status_code == 200
    refused = infer(exhausting, "rotated")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    assert refused.headers["ratelimit"] == '"slowly:throttle";r=0;t=3600'
    assert upstream.requests == []


def test_nothing_is_told_where_the_policy_says_so(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    refused = exhaust(exhausting, upstream, "compared")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "172800")
    assert not [name for name in refused.headers if "limit" in name]


def test_on_trial_an_exhausted_budget_is_recorded_and_changes_nothing(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    passed = exhaust(exhausting, upstream, "shadow")
    assert (passed.status_code, passed.content) == (200, bodies.infer_answer())
    assert not [name for name in passed.headers if "ratelimit" in name]


def test_no_limit_that_tenants_share_is_told_to_any_of_them(
    exhausting: LiveGateway, upstream: Upstream
) -> None:
    for tenant in KEYS:
        for answer in (infer(exhausting, tenant), exhaust(exhausting, upstream, tenant)):
            assert "everybody" not in str(answer.headers)


def test_a_grpc_client_passes_with_the_solution_of_the_challenge_in_its_metadata(
    tmp_path: Path,
) -> None:
    triton = Triton()

    def policy(text: str) -> str:
        # No byte of a gRPC message is ignored, so that its length cannot be hidden.
        return (
            changed(text).replace("    length: {buckets: 2048}\n", "").replace("routes:\n", ROUTES)
        )

    (tmp_path / "jwks").write_bytes(jwks(RSA))
    with (
        served(triton) as port,
        live_gateway(tmp_path, port, policy=policy, http2=True) as gateway,
        grpc.insecure_channel(f"{gateway.host}:{gateway.port}") as channel,
    ):
        stub = channel.unary_unary(INFER, Request.SerializeToString, Response.FromString)
        metadata = (("authorization", f"Bearer {KEYS['standard']}"),)
        for _ in range(2):
            stub(question(), metadata=metadata, timeout=20)
        with pytest.raises(grpc.RpcError) as caught:
            stub(question(), metadata=metadata, timeout=20)
        error: Any = caught.value
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        told = dict((*error.initial_metadata(), *error.trailing_metadata()))
        assert told["ratelimit"].startswith('"work";r=0;t=')
        challenge = read_challenge(told["x-extproc-challenge"])
        assert challenge is not None
        solution = answered(challenge)
        stub(question(), metadata=(*metadata, (SOLUTION, solution)), timeout=20)
        assert len(triton.requests) == 3
        assert SOLUTION not in triton.metadata
        assert gateway.fail_open_events() == 0
