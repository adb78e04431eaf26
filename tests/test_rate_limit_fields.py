import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import anthropic
import http_sf
import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import (
    MILLI,
    SECOND,
    Amounts,
    Calendar,
    Caller,
    Concurrency,
    Limit,
    Periods,
    Rate,
    Refused,
    Sliding,
    Taken,
    Tariff,
    Unit,
    charges,
    presence,
)
from extproc.rate_limit_fields import (
    FAMILIES,
    Family,
    Left,
    fields,
    left_of,
    said,
    spoken,
    used_up,
)
from extproc.refusal import coarse
from extproc.stores.memory import MemoryCounters

NOW = 1.8e9
DAY = 86_400.0
UNITS: tuple[Unit, ...] = ("requests", "queries", "tokens", "credits", "bits", "concurrent")
DAILY = Left("daily", "requests", 1000, 128, "acme", DAY, 3333.0)
MINUTE = Left("minute", "tokens", 150_000, 149_984, "acme", 60.0, 1.0, shared=False)


def told(*limits: Left, families: tuple[Family, ...] = FAMILIES, **more: Any) -> dict[str, str]:
    return fields(limits, "acme", families, now=NOW, **more)


def parsed(value: str) -> list[tuple[str, dict[str, Any]]]:
    found: Any = http_sf.parse(value.encode(), tltype="list")
    return [(name, dict(parameters)) for name, parameters in found]


@st.composite
def limits(draw: st.DrawFn) -> Left:
    most = draw(st.integers(1, 10**16))
    return Left(
        draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", fullmatch=True)),
        draw(st.sampled_from(UNITS)),
        most,
        draw(st.integers(-most, most * 2)),
        draw(st.sampled_from(["acme", "beta", "", "cohort:near"])),
        draw(st.none() | st.floats(0.01, 1e8)),
        draw(st.none() | st.floats(0, 1e8)),
        shared=draw(st.booleans()),
    )


def test_the_openai_fields_are_those_that_it_documents() -> None:
    assert told(DAILY, MINUTE, families=("openai",)) == {
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-requests": "100",
        "x-ratelimit-reset-requests": "1h0m0s",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-tokens": "1s",
    }


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "1s"), (50, "1m0s"), (301, "10m0s"), (3601, "2h0m0s"), (86_401, "48h0m0s")],
)
def test_a_reset_reads_as_go_writes_durations(seconds: int, written: str) -> None:
    limit = Left("r", "requests", 9, 3, "acme", reset=seconds)
    assert told(limit)["x-ratelimit-reset-requests"] == written


def test_the_anthropic_fields_are_those_that_it_documents() -> None:
    assert told(DAILY, families=("anthropic",)) == {
        "anthropic-ratelimit-requests-limit": "1000",
        "anthropic-ratelimit-requests-remaining": "100",
        "anthropic-ratelimit-requests-reset": datetime.fromtimestamp(NOW + 3600, UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        ),
    }


def test_the_draft_names_every_limit_with_the_most_constrained_first() -> None:
    found = told(MINUTE, DAILY, families=("draft",))
    assert found == {
        "ratelimit-policy": '"daily";q=1000;w=86400, "minute";q=150000;qu="tokens";w=60',
        "ratelimit": '"daily";r=100;t=3600, "minute";r=149984;t=1',
    }


def test_what_has_no_window_and_no_reset_says_neither() -> None:
    running = Left("running", "concurrent", 8, 3, "acme", shared=False)
    life = Left("life", "requests", 8, 8, "acme", shared=False)
    found = told(running, life)
    assert found["ratelimit-policy"] == '"running";q=8;qu="concurrent-requests", "life";q=8'
    assert found["ratelimit"] == '"running";r=3, "life";r=8'
    assert not [name for name in found if "reset" in name]
    assert told(running, families=("openai", "anthropic")) == {}


def test_credits_are_told_whole_though_rules_count_thousandths() -> None:
    limit = Left("c", "credits", 50_000, 12_999, "acme", shared=False)
    assert told(limit) == {"ratelimit-policy": '"c";q=50;qu="credits"', "ratelimit": '"c";r=12'}


def test_of_several_limits_of_a_unit_a_vendors_field_tells_the_most_constrained() -> None:
    burst = Left("burst", "requests", 20, 19, "acme", 1.0, 1.0, shared=False)
    spent = Left("spent", "requests", 500, 0, "acme", DAY, 60.0)
    found = told(burst, spent)
    assert found["x-ratelimit-limit-requests"] == "500"
    assert found["anthropic-ratelimit-requests-remaining"] == "0"


def test_no_limit_is_there_again_only_after_the_wait_that_a_refusal_names() -> None:
    assert parsed(told(DAILY, MINUTE, wait=31)["ratelimit"]) == [
        ("daily", {"r": 100, "t": 60}),
        ("minute", {"r": 149984, "t": 1}),
    ]


def test_they_are_told_from_other_header_fields_by_their_names() -> None:
    found = told(DAILY, MINUTE)
    assert len(found) == 14
    others = {"retry-after": "1", "x-should-retry": "false", "content-type": "application/json"}
    assert said({**others, **found}) == found


def test_a_vendors_clients_are_told_in_its_words_alone() -> None:
    assert spoken(FAMILIES, "anthropic_messages") == {"anthropic", "draft"}
    assert spoken(FAMILIES, "openai_chat") == {"openai", "draft"}
    only: tuple[Family, ...] = ("openai",)
    assert spoken(only, "anthropic_messages") == frozenset()


@given(st.lists(limits(), max_size=30))
def test_nothing_is_told_of_what_is_not_the_tenants_own(given_: list[Left]) -> None:
    own = [limit for limit in given_ if limit.group == "acme"]
    assert told(*given_) == told(*own)
    assert fields(given_, "", FAMILIES, now=NOW) == {}
    if not own:
        assert told(*given_) == {}


@given(st.lists(limits(), max_size=30))
def test_a_caller_who_is_suspected_is_told_nothing(given_: list[Left]) -> None:
    assert told(*given_, silent=True) == {}


@given(st.lists(limits(), max_size=30))
def test_the_draft_is_of_structured_fields(given_: list[Left]) -> None:
    found = told(*given_, families=("draft",))
    if not found:
        return
    policies, standings = parsed(found["ratelimit-policy"]), parsed(found["ratelimit"])
    assert [str(name) for name, _ in policies] == [str(name) for name, _ in standings]
    assert len(policies) <= 16
    for (_, policy), (_, standing) in zip(policies, standings, strict=True):
        assert 0 <= standing["r"] <= policy["q"] < 10**15
        assert policy.get("w", 1) >= 1
        assert standing.get("t", 1) >= 1
        assert policy.get("qu", "requests") in {*UNITS, "concurrent-requests"} - {"concurrent"}
    assert found["ratelimit"].isascii()


@given(st.lists(limits(), max_size=8))
def test_never_is_more_told_than_is_left(given_: list[Left]) -> None:
    own = {f"{each.name}": each for each in given_ if each.group == "acme"}
    found = told(*own.values(), families=("draft",))
    for name, standing in parsed(found["ratelimit"]) if found else []:
        limit = own[str(name)]
        scale = 1000 if limit.unit == "credits" else 1
        assert standing["r"] * scale <= max(0, limit.left)
        if limit.reset is not None:
            assert standing["t"] >= limit.reset


@given(st.integers(1, 10**7), st.data())
def test_what_others_did_is_told_in_tenths_and_never_to_the_unit(
    most: int, data: st.DataObject
) -> None:
    """Of any two counts that are one unit apart some are told alike, and at most eleven differ."""
    start = data.draw(st.integers(0, most))
    values = {
        told(Left("x", "requests", most, left, "acme"))["x-ratelimit-remaining-requests"]
        for left in {start, min(most, start + 1), 0, most, *range(0, most, -(-most // 97))}
    }
    assert len(values) <= 11
    step = max(2, -(-most // 10))
    alike = [left // step for left in range(start, start + 2)]
    if alike[0] == alike[1] and start + 1 <= most:
        one, other = (
            told(Left("x", "requests", most, left, "acme", DAY, 5.0)) for left in (start, start + 1)
        )
        assert one == other
    assert all(int(value) % step == 0 for value in values)


def test_a_limit_of_few_is_not_told_to_the_unit_either() -> None:
    seen = [told(Left("x", "requests", 5, left, "acme")) for left in range(6)]
    remaining = [each["x-ratelimit-remaining-requests"] for each in seen]
    assert remaining == ["0", "0", "2", "2", "4", "4"]


@given(st.integers(20, 10**6), st.integers(0, 9), st.lists(st.floats(0, 0.99), min_size=4))
def test_the_order_tells_no_more_than_the_values_do(
    most: int, tenth: int, inside: list[float]
) -> None:
    """Counts that are told alike stand in one order, whatever they really are."""
    step = -(-most // 10)
    lefts = [min(most, int((tenth + part) * step)) for part in inside]
    found = {
        told(Left("one", "bits", most, one, "acme"), Left("other", "bits", most, other, "acme"))[
            "ratelimit"
        ]
        for one, other in pairwise(lefts)
    }
    assert len(found) == 1


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_waiting_longer_is_told_as_longer(one: float, other: float) -> None:
    def reset(seconds: float) -> int:
        limit = Left("x", "requests", 9, 1, "acme", DAY, seconds)
        (found,) = re.findall(r"t=(\d+)", told(limit)["ratelimit"])
        return int(found)

    assert (reset(one) <= reset(other)) or one > other
    assert reset(one) == coarse(one)


def test_openais_client_hands_the_fields_to_whoever_asks_for_them() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        body: dict[str, Any] = {"object": "list", "data": [], "model": "m", "usage": None}
        return httpx2.Response(200, json=body, headers=told(DAILY, MINUTE))

    transport = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = openai.OpenAI(api_key="none", http_client=transport, max_retries=0)
    raw = client.embeddings.with_raw_response.create(model="m", input="x")
    assert raw.headers["x-ratelimit-remaining-requests"] == "100"
    assert raw.headers["x-ratelimit-reset-tokens"] == "1s"


def test_anthropics_client_does_too_and_its_reset_is_a_time() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(429, json={"type": "error"}, headers=told(DAILY, MINUTE))

    transport = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = anthropic.Anthropic(api_key="none", http_client=transport, max_retries=0)  # type: ignore[arg-type,unused-ignore]
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])
    headers = caught.value.response.headers
    assert headers["anthropic-ratelimit-tokens-remaining"] == "149984"
    reset = datetime.fromisoformat(headers["anthropic-ratelimit-requests-reset"])
    assert reset.timestamp() == NOW + 3600


OWN = Limit(Rate("burst/1s", 20, SECOND), "requests", ("principal",))
SHARED = Limit(Sliding("daily/1d", 1000 * MILLI, 86_400 * SECOND), "credits", ("tenant",))
MONTH = Limit(Calendar("leak/month", 500, Periods("month")), "bits", ("tenant", "kind"))
DAY_ = Limit(Calendar("asked/day", 90, Periods("day")), "queries", ("tenant",))
RUNNING = Limit(Concurrency("running", 8), "concurrent", ("principal", "route"))
EVERYBODY = Limit(Rate("all/1m", 9, 60 * SECOND), "requests", ("route",), shared=True)
KIN = Limit(Rate("kin/1m", 9, 60 * SECOND), "requests", ("cohort",))
LIMITS = [OWN, SHARED, MONTH, DAY_, RUNNING, EVERYBODY, KIN]
CALLER = Caller("acme", "key:a", "near", "POST /v1/embeddings", "normal")
ASKED = Amounts(
    queries=30, bits={"embedding": 64, "score": 400}, tariff=Tariff(query=1.0), concurrent=1
)


async def test_what_a_store_took_is_told_of_the_tenants_own_limits() -> None:
    store = MemoryCounters(clock=lambda: 1_700_000_000 * SECOND)
    asked = charges(LIMITS, CALLER, ASKED)
    taken = await store.take(asked)
    assert isinstance(taken, Taken)
    assert told(*left_of(LIMITS, taken), families=("draft",)) == {
        "ratelimit-policy": '"leak";q=500;qu="bits", "asked";q=90;qu="queries";w=86400, '
        '"running";q=8;qu="concurrent-requests", "daily";q=1000;qu="credits";w=86400, '
        '"burst";q=20;w=1',
        "ratelimit": '"leak";r=100;t=1468800, "asked";r=54;t=7200, "running";r=7, '
        '"daily";r=900;t=172800, "burst";r=19;t=1',
    }


async def test_what_a_store_refused_is_told_as_used_up() -> None:
    store = MemoryCounters(clock=lambda: 1_700_000_000 * SECOND)
    asked = charges(LIMITS, CALLER, ASKED)
    assert isinstance(await store.take(asked), Taken)
    refused = await store.take(asked)
    assert isinstance(refused, Refused)
    assert told(*used_up(LIMITS, asked, refused), families=("draft",), wait=50) == {
        "ratelimit-policy": '"leak";q=500;qu="bits"',
        "ratelimit": '"leak";r=0;t=60',
    }


async def test_a_limit_that_the_policy_no_longer_has_is_told_as_one_that_is_shared() -> None:
    store = MemoryCounters(clock=lambda: 1_700_000_000 * SECOND)
    taken = await store.take(charges([OWN], CALLER, ASKED))
    assert isinstance(taken, Taken)
    assert [each.shared for each in left_of([], taken)] == [True]
    assert [each.shared for each in left_of([OWN], taken)] == [False]


async def test_what_is_taken_so_that_a_tenant_can_be_stopped_is_no_limit_to_tell() -> None:
    taken = await MemoryCounters().take([presence("acme"), *charges([OWN], CALLER, ASKED)])
    assert isinstance(taken, Taken)
    assert [each.name for each in left_of([OWN], taken)] == [OWN.name]
