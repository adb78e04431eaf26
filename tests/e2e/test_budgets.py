"""Budgets through a real Envoy: what is reserved, what is settled, and whom it is told apart by."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.e2e import bodies
from tests.e2e.budgets import (
    MESSAGES,
    answer,
    ask,
    budgeted,
    chat,
    down,
    few,
    left,
    plans,
    under_way,
    until_left,
)
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Reply, Request, Script, Upstream, answering, streaming

FULL = 9000
STANDARD = "fidelity: standard, "
TOKENS = STANDARD + (
    f"allow: {{max_tokens: 16384}}, "
    f"budgets: [{{name: tokens, per: tenant, count: tokens, max: {FULL}, period: lifetime}}]"
)
OWN = (
    "json",
    "asked",
    "unasked",
    "untold",
    "failing",
    "refusing",
    "unread",
    "gone",
    "cut",
    "reset",
    "begun",
)


def bits(per: str) -> str:
    return few(BITS, name="bits", count="bits", per=per, routes="['POST /v2/*']")


BITS = 25
"""What the probabilities of one answer tell, and more than its label does."""
POLICIES = {
    **dict.fromkeys(OWN, TOKENS),
    "several": TOKENS.replace(
        "budgets: [", "budgets: [{name: few, per: tenant, count: requests, max: 1, period: day}, "
    ),
    "counted": STANDARD + few(2),
    "placed": STANDARD + "limits: [{name: places, per: tenant, count: concurrent, max: 1}]",
    "user": STANDARD + few(per="user"),
    "address": STANDARD + few(per="address", prefix="{ipv4: 30}"),
    "model": STANDARD + few(per="model"),
    "route": STANDARD + few(per="route"),
    "risky": STANDARD + few(risk="high") + ", high_risk: ['POST /v1/embeddings']",
    "tiny": STANDARD + few(models="[tiny-*]"),
    "kinds": STANDARD + bits("kind"),
    "together": STANDARD + bits("tenant"),
    "sliding": STANDARD + few(window="1s"),
    "calendar": STANDARD + few(period="hour"),
    "lowered": "fidelity: full, " + few(exhausted="{fidelity: labels}"),
    "slowed": STANDARD + few(exhausted="{throttle: {max: 1, window: 10m}}"),
    "stepping": STANDARD + few(exhausted="{acr: [phishing_resistant]}"),
    "watched": STANDARD + few() + ", mode: shadow",
    "reloaded": STANDARD + few(3),
    **dict.fromkeys(("band-1", "band-2", "other-1", "other-2"), "fidelity: standard"),
}
"""By tenant."""
SHARED = """budgets:
  - {name: band, per: cohort, count: requests, max: 1, period: day, models: [of-cohort]}
  - {name: shared, per: route, count: requests, max: 1, period: day, models: [of-all]}
credentials:
  keys: {kind: api_key}
  stronger: {kind: envoy_jwt, issuer: "https://login.example.com", audience: a, tenant: org}
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("b")


@pytest.fixture(scope="module")
def running_gateway(scripted: Upstream, directory: Path) -> Iterator[LiveGateway]:
    with budgeted(scripted, directory, plans(POLICIES, SHARED)) as gateway:
        yield gateway


def statuses(gateway: LiveGateway, tenant: str, *asked: dict[str, Any]) -> list[int]:
    """Of one request after the other."""
    found = []
    for each in asked:
        more = dict(each)
        body = more.pop("body", chat(**more.pop("fields", {})))
        found.append(ask(gateway, tenant, body, **more).status_code)
    return found


# What is settled.


def test_a_json_answer_is_settled_by_the_usage_it_tells(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = down(answering(answer(output=7, read=20)))
    assert left(gateway, "json") == FULL
    assert ask(gateway, "json", chat(max_tokens=5000)).status_code == 200
    until_left(gateway, "json", FULL - 27)


def stream(*texts: str, usage: bool = True) -> bytes:
    """As a model server writes it that was asked for usage."""
    told = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}
    last = orjson.loads(bodies.chat_chunk())
    events = [bodies.chat_chunk(text) for text in texts]
    events += [orjson.dumps({**last, "choices": [], "usage": told})] if usage else []
    return b"".join(b"data: " + event + b"\n\n" for event in (*events, b"[DONE]"))


def test_a_stream_is_settled_by_the_usage_that_the_client_asked_for(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = down(streaming(stream("one", "two")))
    asked = chat(max_tokens=5000, stream=True, stream_options={"include_usage": True})
    answered = ask(gateway, "asked", asked)
    assert (answered.status_code, '"total_tokens":27' in answered.text) == (200, True)
    until_left(gateway, "asked", FULL - 27)


def test_a_stream_is_settled_by_usage_that_only_we_asked_for(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = down(streaming(stream("one", "two")))
    answered = ask(gateway, "unasked", chat(max_tokens=5000, stream=True))
    assert orjson.loads(upstream.requests[0].body)["stream_options"] == {"include_usage": True}
    assert (answered.status_code, "usage" in answered.text) == (200, False)
    until_left(gateway, "unasked", FULL - 27)


def test_what_nobody_tells_was_the_worst_case(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = down(answering(answer(usage=False)))
    asked = chat(max_tokens=5000)
    assert ask(gateway, "untold", asked).status_code == 200
    until_left(gateway, "untold", FULL - 5000 - len(asked))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
def test_a_model_server_that_failed_is_not_paid(
    gateway: LiveGateway, upstream: Upstream, status: int
) -> None:
    upstream.script = answering(answer(output=7, read=20), status=status)
    for _ in range(3):
        assert ask(gateway, "failing", chat(max_tokens=8000)).status_code >= 500
        gateway.until_settled()
    upstream.script = down(answering(b""))
    until_left(gateway, "failing", FULL)


def test_a_model_server_that_is_not_there_is_not_paid(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    async def gone(request: Request, reply: Reply) -> None:
        reply.reset()

    upstream.script = gone
    for _ in range(3):
        assert ask(gateway, "reset", chat(max_tokens=8000)).status_code >= 500
        gateway.until_settled()
    upstream.script = down(answering(b""))
    until_left(gateway, "reset", FULL)


def test_an_error_that_may_have_run_the_model_costs_what_it_read(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    """A client can bring such an answer about as often as it likes."""
    asked = chat(max_tokens=4000)
    for number, status in enumerate((400, 404, 422, 429), 1):
        upstream.script = answering(answer(output=7, read=20), status=status)
        assert ask(gateway, "refusing", asked).status_code == status
        upstream.script = down(answering(b""))
        until_left(gateway, "refusing", FULL - number * len(asked))
    upstream.script = answering(b"{}", status=400)
    assert statuses(gateway, "counted", {}, {}, {}) == [400, 400, 429]


def test_an_answer_that_is_not_released_costs_what_it_read(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    asked = chat(max_tokens=4000)
    upstream.script = down(answering(b"no answer"))
    assert ask(gateway, "unread", asked).status_code == 502
    until_left(gateway, "unread", FULL - len(asked))


def test_whoever_hangs_up_before_the_answer_pays_what_was_read(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    came = upstream.event()

    async def script(request: Request, reply: Reply) -> None:
        came.set()

    upstream.script = script
    asked = chat(max_tokens=5000)
    with under_way(gateway, "gone", asked):
        upstream.wait(came)
    upstream.script = down(answering(b""))
    until_left(gateway, "gone", FULL - len(asked))


def test_whoever_hangs_up_in_a_stream_pays_what_was_sent(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    """And not what might have been: each octet counts as a token, and the end of each text."""

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        for _ in range(3):
            await reply.chunk(b"data: " + bodies.chat_chunk("on and on") + b"\n\n")

    upstream.script = down(script)
    with under_way(gateway, "cut", chat(max_tokens=5000, stream=True)) as raw:
        received = b""
        while received.count(b"on and on") < 3:
            received += raw.recv(65536)
    went_on = len(upstream.requests[0].body)
    until_left(gateway, "cut", FULL - went_on - 3 * 10)


def test_whoever_hangs_up_pays_for_more_than_a_stream_tells_at_its_beginning(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    """Anthropic's begins with a count of 1, and tells the real one when all has been read."""
    begun: dict[str, Any] = {
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "m",
        "id": "1",
    }
    usage = {"input_tokens": 9, "output_tokens": 1}
    start: dict[str, Any] = {"type": "message_start", "message": {**begun, "usage": usage}}
    block: dict[str, Any] = {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    }
    delta = {"type": "text_delta", "text": "on and on"}
    more: dict[str, Any] = {"type": "content_block_delta", "index": 0, "delta": delta}

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        for event in (start, block, *[more] * 300):
            await reply.chunk(f"event: {event['type']}\n".encode())
            await reply.chunk(b"data: " + orjson.dumps(event) + b"\n\n")

    upstream.script = down(script)
    asked = chat(max_tokens=5000, stream=True)
    with under_way(gateway, "begun", asked, MESSAGES) as raw:
        received = b""
        while received.count(b"on and on") < 300:
            received += raw.recv(65536)
    until_left(gateway, "begun", FULL - 9 - 300 * 10 - 1)


def test_of_several_budgets_all_are_charged_or_none(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = down(answering(answer(output=7, read=20)))
    assert left(gateway, "several") == FULL, "what was refused or given back costs no request"
    assert ask(gateway, "several", chat()).status_code == 200
    assert statuses(gateway, "several", *[{}] * 5) == [429] * 5
    record = '"tenant":"several"'
    gateway.until(
        lambda: sum(record in line and '"fault":"few"' in line for line in gateway.log) >= 5
    )


# How many are under way.


async def _served(request: Request, reply: Reply) -> None:
    await reply.document(bodies.chat_answer())


async def _streamed(request: Request, reply: Reply) -> None:
    await reply.stream_head()
    await reply.chunk(bodies.chat_stream("one"))
    await reply.end()


async def _broken(request: Request, reply: Reply) -> None:
    await reply.stream_head()
    await reply.chunk(b"data: " + bodies.chat_chunk("one") + b"\n\n")
    reply.reset()


async def _unreadable(request: Request, reply: Reply) -> None:
    await reply.stream_head()
    await reply.chunk(b"data: " + bodies.chat_chunk("one") + b"\n\ndata: no\n\n")
    await reply.end()


async def _reset(request: Request, reply: Reply) -> None:
    reply.reset()


ENDS: dict[str, tuple[Script, bytes]] = {
    "served": (_served, chat()),
    "streamed": (_streamed, chat(stream=True)),
    "failed": (answering(b"", status=500), chat()),
    "refused": (answering(b"", status=400), chat()),
    "not released": (answering(b"no"), chat()),
    "cut": (_unreadable, chat(stream=True)),
    "broken": (_broken, chat(stream=True)),
    "reset": (_reset, chat()),
    "invalid": (_served, chat(surprise=1)),
}


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_an_exchange_its_place_is_free(
    gateway: LiveGateway, upstream: Upstream, end: str
) -> None:
    upstream.script, body = ENDS[end]
    with contextlib.suppress(httpx.RemoteProtocolError):
        assert ask(gateway, "placed", body).status_code != 429
    _is_free(gateway, upstream)


@pytest.mark.parametrize("begun", [False, True])
def test_while_one_is_under_way_no_other_is_let_in(
    gateway: LiveGateway, upstream: Upstream, *, begun: bool
) -> None:
    came = upstream.event()

    async def script(request: Request, reply: Reply) -> None:
        if begun:
            await reply.stream_head()
            await reply.chunk(b"data: " + bodies.chat_chunk("on") + b"\n\n")
        came.set()

    upstream.script = script
    with under_way(gateway, "placed", chat(stream=True)):
        upstream.wait(came)
        assert statuses(gateway, "placed", *[{}] * 5) == [429] * 5
    assert len(upstream.requests) == 1
    _is_free(gateway, upstream)


def _is_free(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = _served
    gateway.until(lambda: ask(gateway, "placed", chat()).status_code == 200)
    gateway.until_settled()


# Whom it is told apart by.

INFER = {"body": bodies.infer_request(), "path": bodies.INFER}
EMBED = {"body": bodies.embeddings_request(), "path": bodies.EMBEDDINGS}


@pytest.mark.parametrize(
    ("tenant", "asked", "found"),
    [
        ("user", [{"fields": {"user": name}} for name in "abab"], [200, 200, 429, 429]),
        ("address", [{"source": f"127.0.0.{n}"} for n in (1, 2, 5, 6)], [200, 429, 200, 429]),
        ("model", [{"fields": {"model": name}} for name in "abab"], [200, 200, 429, 429]),
        ("route", [{}, INFER, {}, INFER], [200, 200, 429, 429]),
        ("risky", [{}, {}, EMBED, EMBED, {}], [200, 200, 200, 429, 200]),
        (
            "tiny",
            [{"fields": {"model": m}} for m in ("a", "tiny-a", "tiny-b", "a")],
            [200, 200, 429, 200],
        ),
        ("counted", [{"number": 1}], [429]),
        ("kinds", [INFER, INFER], [200, 429]),
        ("together", [INFER], [429]),
        ("calendar", [{}, {}], [200, 429]),
    ],
)
def test_a_budget_tells_apart_what_it_says(
    gateway: LiveGateway,
    upstream: Upstream,
    tenant: str,
    asked: list[dict[str, Any]],
    found: list[int],
) -> None:
    async def script(request: Request, reply: Reply) -> None:
        by_path = {
            bodies.INFER: bodies.infer_answer(),
            bodies.EMBEDDINGS: bodies.embeddings_answer(),
        }
        await reply.document(by_path.get(request.path, bodies.chat_answer()))

    upstream.script = script
    assert statuses(gateway, tenant, *asked) == found
    assert len(upstream.requests) == found.count(200)


def test_a_cohort_has_one_budget_and_so_have_all_who_share_one(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = _served
    cohort, everyone = ({"fields": {"model": model}} for model in ("of-cohort", "of-all"))
    assert statuses(gateway, "band-1", cohort) == [200]
    assert statuses(gateway, "band-2", cohort) == [429]
    assert statuses(gateway, "other-1", cohort, cohort) == [200, 429], "a cohort of its own"
    assert statuses(gateway, "other-2", cohort, everyone) == [200, 200]
    assert [statuses(gateway, each, everyone) for each in ("band-1", "other-1")] == [[429]] * 2


def test_a_sliding_budget_comes_back_when_what_was_spent_has_slid_out(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = _served
    for _ in range(2):
        gateway.until(lambda: statuses(gateway, "sliding", {}) == [200])
        assert statuses(gateway, "sliding", {}) == [429]


def test_a_refusal_says_when_to_come_again_and_not_why(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = _served
    answers = [ask(gateway, "calendar", chat()) for _ in range(3)]
    refused = [each for each in answers if each.status_code == 429]
    assert len(refused) >= 2
    assert {each.content for each in refused} == {refused[0].content}
    assert b"few" not in refused[0].content
    assert 1 <= int(refused[0].headers["retry-after"]) <= 3600


# What becomes of a request for which nothing is left.

LOGPROBS = {"fields": {"logprobs": True, "top_logprobs": 2}}


def test_an_exhausted_budget_may_lower_the_fidelity(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = _served
    exact, lower, again = (ask(gateway, "lowered", chat(**LOGPROBS["fields"])) for _ in range(3))
    assert bodies.SECRET in exact.text
    for each in (lower, again):
        assert each.status_code == 200
        assert bodies.SECRET not in each.text
        assert each.json()["choices"][0]["logprobs"] is None
        assert "usage" not in each.json(), "the lower tier has none"
        assert "private thoughts" not in each.text
    first, *others = (orjson.loads(each.body) for each in upstream.requests)
    assert (first["logprobs"], first["top_logprobs"]) == (True, 2)
    assert [{"logprobs", "top_logprobs"} & each.keys() for each in others] == [set(), set()]


def test_an_exhausted_budget_may_leave_a_slower_rate(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = _served
    assert statuses(gateway, "slowed", {}, {}, {}, {}) == [200, 200, 429, 429]


def test_an_exhausted_budget_may_ask_for_a_stronger_credential(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = _served
    assert statuses(gateway, "stepping", {}) == [200]
    refused = ask(gateway, "stepping", chat())
    assert refused.status_code == 401
    challenge = refused.headers["www-authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'acr_values="phishing_resistant"' in challenge
    assert len(upstream.requests) == 1


def test_a_policy_on_trial_counts_and_refuses_nobody(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = _served
    assert statuses(gateway, "watched", {}, {}, {}) == [200, 200, 200]
    found: list[str] = []

    def ended() -> bool:
        records = [line for line in gateway.log if '"message":"exchange"' in line]
        found[:] = [line for line in records if '"tenant":"watched"' in line]
        return len(found) == 3

    gateway.until(ended)
    outcomes = [orjson.loads(line[line.index("{") :])["outcome"] for line in found]
    assert outcomes == ["shadow:served", *["shadow:rate_limit_exceeded"] * 2]


def test_what_was_spent_stays_spent_when_the_policy_changes(
    gateway: LiveGateway, upstream: Upstream, directory: Path
) -> None:
    upstream.script = _served
    assert statuses(gateway, "reloaded", {}, {}, {}, {}) == [200, 200, 200, 429]
    file = directory / "policy.yaml"
    file.write_text(file.read_text().replace(POLICIES["reloaded"], STANDARD + few(5)))
    gateway.until(lambda: statuses(gateway, "reloaded", {}) == [200])
    assert statuses(gateway, "reloaded", {}, {}) == [200, 429]
