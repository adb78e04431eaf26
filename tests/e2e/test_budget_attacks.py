"""What an attacker does about a budget, through a real Envoy; and what that does to others."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import orjson
import pytest

from tests.e2e import bodies
from tests.e2e.budgets import (
    COMPLETIONS,
    answer,
    ask,
    at_once,
    budgeted,
    chat,
    down,
    few,
    key,
    left,
    plans,
    under_way,
    until_left,
)
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Reply, Request, Upstream, answering

FULL = 9000
MADE_UP = 1000
STANDARD = "fidelity: standard, "
TOKENS = (
    STANDARD + "allow: {max_tokens: 16384, choices: 16}, "
    f"budgets: [{{name: tokens, per: tenant, count: tokens, max: {FULL}, period: lifetime}}]"
)
OWN = ("refused", "worst", "unset", "choices", "best", "prompts", "paired")
POLICIES = {
    **dict.fromkeys(OWN, TOKENS),
    "crowd": STANDARD + few(10),
    "batch": STANDARD + few(100, count="queries") + ", high_risk: ['POST /v1/embeddings']",
    "cutter": TOKENS.replace(f"{FULL}", "2000"),
    "retried": STANDARD + few(1, period="day"),
    "waiting": STANDARD
    + "limits: [{name: fast, per: tenant, count: requests, max: 1, window: 1s}]",
    "methods": STANDARD + few(1) + ", high_risk: ['POST /v1/embeddings']",
    "working": STANDARD + few(5, count="queries"),
    "crowded": STANDARD + few(2, per="user"),
    "bystander": STANDARD + few(2, per="user"),
}
"""By tenant."""
# Any: what is tested is what the client reads, not what it accepts.
MESSAGES: Any = [{"role": "user", "content": "hello"}]
TOP = f"store: {{kind: memory, max_counters: {MADE_UP // 4}}}\n"


@pytest.fixture(scope="module")
def running_gateway(
    scripted: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    directory: Path = tmp_path_factory.mktemp("a")
    with budgeted(scripted, directory, plans(POLICIES, TOP)) as gateway:
        yield gateway


async def _served(request: Request, reply: Reply) -> None:
    await reply.document(bodies.chat_answer())


def test_of_a_thousand_at_once_as_many_reach_the_model_as_the_budget_has(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = _served
    assert at_once(gateway, "crowd", [chat()] * 1000) == {200: 10, 429: 990}
    assert len(upstream.requests) == 10
    assert ask(gateway, "crowd", chat()).status_code == 429


def test_a_batch_counts_every_input(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.embeddings_answer(64))

    def status(inputs: int) -> int:
        body = bodies.embeddings_request(input=["a"] * inputs)
        return ask(gateway, "batch", body, bodies.EMBEDDINGS).status_code

    assert (status(64), status(64)) == (200, 429)
    assert len(upstream.requests) == 1
    upstream.script = answering(bodies.embeddings_answer(36))
    assert (status(37), status(36), status(1)) == (429, 200, 429)


def test_a_stream_cut_after_its_first_token_is_not_free(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    """Over and over: it is let in about as often as what was read fits the budget."""

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        await reply.chunk(b"data: " + bodies.chat_chunk("first") + b"\n\n")

    upstream.script = script
    asked = chat(max_tokens=500, stream=True)
    cut = 0
    while cut < 40:
        with under_way(gateway, "cutter", asked) as raw:
            received = raw.recv(65536)
            while b"first" not in received and b"429" not in received:
                received += raw.recv(65536)
        gateway.until_settled()
        if b"429" in received:
            break
        cut += 1
    each = len(upstream.requests[0].body) + len("first") + 1
    assert cut == (2000 - 500 - len(upstream.requests[0].body)) // each + 1
    assert len(upstream.requests) == cut


@pytest.mark.parametrize(
    ("tenant", "found"),
    [("waiting", [200, 429, 200, 429, 200]), ("retried", [200, 429, 429])],
)
def test_the_usual_client_comes_again_where_the_wait_is_short_and_only_there(
    gateway: LiveGateway, upstream: Upstream, tenant: str, found: list[int]
) -> None:
    """A client that is left to itself asks for each refusal three times."""
    upstream.script = _served
    seen: list[int] = []
    hooks: Any = {"response": [lambda response: seen.append(response.status_code)]}
    with httpx.Client(event_hooks=hooks) as http:
        asking: Any = http
        client = openai.OpenAI(
            base_url=f"{gateway.url}/v1", api_key=key(tenant), max_retries=2, http_client=asking
        )
        for _ in range(3):
            with contextlib.suppress(openai.RateLimitError):
                client.chat.completions.create(model="m", messages=MESSAGES)
    assert seen == found
    assert len(upstream.requests) == seen.count(200)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "GET", "PUT", "DELETE", "PATCH", "TRACE"])
def test_another_method_never_reaches_the_model_and_costs_nothing(
    gateway: LiveGateway, upstream: Upstream, method: str
) -> None:
    upstream.script = answering(b"", status=500)
    for body in (b"", chat()):
        status = ask(gateway, "methods", body, method=method).status_code
        assert status in {400, 404, 405}
    assert upstream.requests == []
    assert ask(gateway, "methods", chat()).status_code == 500, "nothing was spent"
    gateway.until_settled()


def test_an_error_that_ran_the_model_is_no_way_to_ask_for_nothing(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(b"{}", status=400)
    found = [ask(gateway, "working", chat()).status_code for _ in range(7)]
    assert found == [400] * 5 + [429] * 2


def test_what_is_refused_lowers_nothing(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = down(answering(b""))
    too_much, invalid = chat(max_tokens=16384), chat(surprise=1)
    assert at_once(gateway, "refused", [too_much, invalid] * 100) == {429: 100, 400: 100}
    assert left(gateway, "refused") == FULL
    assert all(b'"down"' in each.body for each in upstream.requests)


def test_a_worst_case_above_what_is_left_is_refused_though_its_cost_would_fit(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    """docs/limits.md says what that means near the end of a budget."""
    upstream.script = down(answering(answer(output=1, read=9)))
    assert ask(gateway, "worst", chat(max_tokens=FULL)).status_code == 429
    assert upstream.requests == []
    assert ask(gateway, "worst", chat(max_tokens=FULL - 100)).status_code == 200
    until_left(gateway, "worst", FULL - 10)


@pytest.mark.parametrize("fields", [{}, {"max_tokens": None}])
def test_where_no_maximum_is_asked_for_the_most_there_is_is_reserved(
    gateway: LiveGateway, upstream: Upstream, fields: dict[str, Any]
) -> None:
    """Which is more than this budget has; otherwise it would go on with it."""
    upstream.script = down(answering(b""))
    assert ask(gateway, "unset", bodies.chat_request(**fields)).status_code == 429
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("tenant", "path", "times", "fields"),
    [
        ("choices", bodies.CHAT, 4, {"n": 4, "messages": [{"role": "user", "content": "a"}]}),
        ("choices", COMPLETIONS, 4, {"n": 4, "prompt": "a"}),
        ("best", COMPLETIONS, 5, {"best_of": 5, "n": 2, "prompt": "a"}),
        ("prompts", COMPLETIONS, 3, {"prompt": ["a", "b", "c"]}),
        ("prompts", COMPLETIONS, 6, {"prompt": [[1], [2], [3]], "n": 2}),
    ],
)
def test_all_that_may_be_written_is_reserved(
    gateway: LiveGateway,
    upstream: Upstream,
    tenant: str,
    path: str,
    times: int,
    fields: dict[str, Any],
) -> None:
    upstream.script = answering(b"", status=503)

    def status(most: int) -> int:
        body = orjson.dumps({"model": "m", "max_tokens": most, **fields})
        found = ask(gateway, tenant, body, path).status_code
        gateway.until_settled()
        return found

    read = len(orjson.dumps({"model": "m", "max_tokens": 1000, **fields}))
    fits = (FULL - read) // times
    assert fits >= 1000
    assert (status(fits), status(fits + 1)) == (503, 429)


def test_two_keys_of_a_tenant_have_one_budget(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = down(answering(answer(output=7, read=20)))
    for number in (0, 1):
        assert ask(gateway, "paired", chat(), number=number).status_code == 200
    until_left(gateway, "paired", FULL - 2 * 27)


def test_users_that_a_tenant_makes_up_take_nothing_from_another(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    """More than there are counters for: those beyond are counted together, by two in all."""
    upstream.script = _served
    first = [chat(user=f"real-{number}") for number in range(4)]
    assert at_once(gateway, "bystander", first) == {200: 4}
    made_up = [chat(user=f"u{number}") for number in range(MADE_UP)]
    found = Counter[int]()
    for start in range(0, MADE_UP, 1000):
        found += at_once(gateway, "crowded", made_up[start : start + 1000])
    assert set(found) == {200, 429}
    assert found[200] < MADE_UP // 2
    assert at_once(gateway, "bystander", first) == {200: 4}
    assert at_once(gateway, "bystander", first) == {429: 4}
    new = [chat(user=f"new-{number}") for number in range(4)]
    assert at_once(gateway, "bystander", new) == {200: 4}
