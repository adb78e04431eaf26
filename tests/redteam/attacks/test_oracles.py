"""Refusals that differ by their cause are found, pair by pair, and what header fields tell too."""

from itertools import count

from aiohttp import web

from extproc.redteam.attacks.oracles import ATTACK
from tests.redteam.faulty import INFER, answer, bearer, refusal, rows_asked, serving, sure, tried


async def _alike(request: web.BaseRequest) -> web.StreamResponse:
    if bearer(request) != "k":
        return refusal(401)
    if request.path != INFER or request.method != "POST":
        return refusal(404)
    return answer(sure(await rows_asked(request)))


async def _talkative(request: web.BaseRequest) -> web.StreamResponse:
    """Says whether a key has the form of one, which paths there are, and how busy it is."""
    if not bearer(request):
        return refusal(401, x_reason="none", x_envoy_upstream_service_time="3")
    if bearer(request) != "k":
        return refusal(401, x_reason="unknown")
    if request.path == "/metrics":
        return refusal(403)
    return await _alike(request)


async def test_causes_of_one_class_that_look_the_same_are_no_oracle() -> None:
    async with serving(_alike) as url:
        rows = await tried(ATTACK, url, ["k"])
    assert rows["told_apart"].value == 0
    assert rows["headers.limits"].value == rows["members.telling"].value == 0


async def test_what_names_each_request_tells_none_apart() -> None:
    served = count()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        reply = await _alike(request)
        reply.headers["x-request-id"] = f"{next(served)}"
        return reply

    async with serving(handle) as url:
        rows = await tried(ATTACK, url, ["k"])
    assert rows["told_apart"].value == 0


async def test_each_pair_that_is_told_apart_counts() -> None:
    async with serving(_talkative) as url:
        rows = await tried(ATTACK, url, ["k"])
    # One of six paths differs from five others.
    assert rows["told_apart.paths"].value == 5
    # Three of six strangers name no bearer, three do in another way, at three places each.
    strangers = int(rows["told_apart.strangers"].value)
    assert strangers > 0
    assert strangers % 9 == 0
    assert rows["told_apart.models"].value == 0
    assert "metrics" in rows["told_apart.paths"].note
    assert "x-envoy-upstream-service-time" in rows["headers.leaking"].note
    assert "x-reason" in rows["headers.leaking"].note


async def test_members_that_tell_of_the_machine_and_fields_of_limits_are_named() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        body = b'{"system_fingerprint": "f", "usage": [{"cached_tokens": 0}], "service_tier": null}'
        return web.Response(body=body, headers={"x-ratelimit-limit-requests": "5"})

    async with serving(handle) as url:
        rows = await tried(ATTACK, url, ["k"])
    assert rows["members.telling"].note == "cached_tokens, system_fingerprint"
    assert rows["headers.limits"].note == "x-ratelimit-limit-requests"
