"""A gateway that blocks who means well is told from one that blocks the attacker alone."""

from collections import Counter

from aiohttp import web

from extproc.redteam.attacks.legitimate_use import ATTACK, HABITS
from tests.redteam.attacks.test_timing import _pass
from tests.redteam.faulty import answer, bearer, refusal, rows_asked, serving, sure, tried

KEYS = ["attacker", *HABITS]


async def test_a_kind_of_customer_that_is_blocked_is_named() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if bearer(request) in {"attacker", "batch"}:
            return refusal(403)
        if "chat" in request.path:
            return web.Response(body=b"{}")
        return answer(sure(await rows_asked(request)))

    async with serving(handle) as url:
        rows = await tried(ATTACK, url, KEYS)
    blocked = {kind: rows[f"false_blocks.{kind}"].value for kind in HABITS}
    assert blocked == {"batch": 1, "probe": 0, "evaluation": 0, "chat": 0, "retries": 0}
    assert "latency.batch.p50" not in rows
    assert rows["latency.probe.p95"].value > 0
    # No refusal of forty: 1 - 0.025 ** (1 / 40).
    assert rows["false_blocks.probe"].note.startswith("0 of 40; at most 0.088")


async def test_an_attack_goes_on_beside_them_and_ends_with_them() -> None:
    asked: Counter[str] = Counter()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        who = bearer(request)
        asked[who] += 1
        if who == "probe" and asked[who] == 7:
            return refusal(403)
        if who == "attacker":
            await _pass(0.1)
        if who == "probe" and asked[who] % 4 == 0:
            await _pass(0.05)
        if "chat" in request.path:
            return web.Response(body=b"{}")
        return answer(sure(await rows_asked(request)))

    async with serving(handle) as url:
        rows = await tried(ATTACK, url, KEYS)
    # All of its budget would be a hundred requests, which take it five seconds.
    assert 0 < asked["attacker"] < 100
    # scipy.stats.beta.ppf(0.975, 2, 39), after Clopper and Pearson.
    assert rows["false_blocks.probe"].note.startswith("1 of 40; at most 0.132")
    assert rows["latency.probe.p95"].value > 50 > rows["latency.probe.p50"].value
