"""Batches as bytes: what is asked, of whom, and what is counted."""

from collections import Counter

import numpy as np
from aiohttp import web

from extproc.redteam.attacks.raw_batches import answered, batch, exchanged, host, key, written
from extproc.redteam.client import Client
from extproc.redteam.oracle import Budget
from extproc.redteam.scene import Scene
from tests.redteam.faulty import answer, bearer, rows_asked, serving, sure, victim

VICTIM = victim()


def _scene(*keys: str) -> Scene:
    client = Client("http://it:8000", keys)
    return Scene(VICTIM, client, client, Budget(1), (1,), np.random.default_rng(1))


async def test_each_goes_to_its_url_with_its_key_and_all_are_counted() -> None:
    asked: Counter[tuple[str, str]] = Counter()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        inputs = await rows_asked(request)
        asked[request.headers["host"], bearer(request)] += len(inputs)
        return answer(sure(inputs))

    scene = _scene("k0", "k1")
    request = batch(scene, 1, 50)
    async with serving(handle) as one, serving(handle) as two:
        sent = [(url, written(scene, request, url)) for url in (one, two, two)]
        replies = await exchanged(scene, request, sent, 2)
    assert asked == {(host(one), "k1"): 50, (host(two), "k1"): 100}
    assert [answered(scene, reply, 50) for reply in replies] == [50, 50, 50]
    assert (scene.client.meter.queries, scene.client.meter.requests) == (150, 3)


def test_more_inputs_than_there_are_begin_anew() -> None:
    asked = batch(_scene("k0"), 0, 50).body
    assert asked == VICTIM.adapter.request(np.vstack([VICTIM.task, VICTIM.task[:10]]), 0).body


def test_a_server_that_asks_for_no_key_gets_one() -> None:
    assert key(_scene(), 3) == "xk-none"
    assert b"authorization: Bearer xk-none" in written(_scene(), batch(_scene(), 0), "http://it")
