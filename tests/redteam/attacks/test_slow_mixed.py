"""Mixing costs the attacker what honest questions cost; waiting gains what a rate refused."""

from collections import Counter

from aiohttp import web

from extproc.redteam.attacks.slow_mixed import ASKED, ATTACK
from tests.redteam.faulty import answer, bearer, refusal, rows_asked, serving, sure, tried

KEYS = ["at-once", "mixed", "slow"]


async def test_under_a_budget_for_life_mixing_costs_half() -> None:
    spent: Counter[str] = Counter()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        inputs, key = await rows_asked(request), bearer(request)
        if spent[key] + len(inputs) > ASKED:
            return refusal(429, retry_after="86400")
        spent[key] += len(inputs)
        return answer(sure(inputs))

    async with serving(handle) as url:
        rows = await tried(ATTACK, url, KEYS)
    assert rows["served.at_once"].value == rows["served.slow"].value == 1
    assert rows["served.mixed"].value == 0.5
    assert rows["before_refusal.mixed"].value == ASKED / 2
    assert "before_refusal.slow" not in rows


async def test_what_a_rate_refuses_is_had_by_asking_again_when_it_says() -> None:
    asked: Counter[str] = Counter()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        inputs, key = await rows_asked(request), bearer(request)
        asked[key] += 1
        return refusal(429, retry_after="0") if asked[key] % 2 else answer(sure(inputs))

    async with serving(handle) as url:
        rows = await tried(ATTACK, url, KEYS)
    assert rows["served.at_once"].value == 0.5
    assert rows["served.slow"].value == 1
