"""A difference of a hundredth of a second is found, and none where there is none."""

import asyncio
import re

import pytest
from aiohttp import web

from extproc.redteam.attacks.timing import TIMING
from tests.redteam.faulty import INFER, answer, bearer, refusal, rows_asked, serving, sure, tried

pytestmark = pytest.mark.slow


async def _pass(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over


async def test_a_check_of_keys_that_takes_longer_is_found_and_what_is_alike_is_not() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if bearer(request) != "k":
            await _pass(0.012)
        if request.path != INFER:
            return refusal(404)
        return answer(sure(await rows_asked(request)))

    async with serving(handle) as url:
        rows = await tried(TIMING, url, ["k"])
    assert rows["auc.key"].value > 0.9
    assert rows["auc50.key"].value > 0.99
    assert rows["bits.key"].value > 0.5
    assert rows["ks.key"].value > 0.8
    assert "chance of as much by luck" in rows["ks.key"].note
    known, stranger = (float(each) for each in re.findall(r"[\d.]+", rows["ks.key"].note)[:2])
    assert stranger > known + 2, "milliseconds, of each side in turn"
    assert 0.35 < rows["auc.label"].value < 0.65
    assert rows["bits.label"].value < 0.1


async def test_on_a_grid_more_connections_are_used_and_nothing_is_told() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        began = asyncio.get_running_loop().time()
        inputs = None if request.path != INFER else await rows_asked(request)
        await _pass(0.04 - (asyncio.get_running_loop().time() - began))
        return refusal(404) if inputs is None else answer(sure(inputs))

    async with serving(handle) as url:
        rows = await tried(TIMING, url, ["k"])
    for pair in ("label", "key"):
        assert 0.35 < rows[f"auc.{pair}"].value < 0.65
        assert rows[f"bits.{pair}"].value < 0.1
