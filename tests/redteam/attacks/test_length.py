"""Lengths that differ tell, and those that are filled up do not."""

from aiohttp import web

from extproc.redteam.attacks.length import LENGTH
from tests.redteam.faulty import INFER, answer, refusal, rows_asked, serving, sure, tried


async def test_a_shorter_answer_tells_which_it_was() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != INFER:
            return refusal(404)
        return answer(sure(await rows_asked(request)))

    async with serving(handle) as url:
        rows = await tried(LENGTH, url)
    for pair in ("model", "batch"):
        assert rows[f"auc.{pair}"].value == rows[f"auc50.{pair}"].value == 1
        assert rows[f"bits.{pair}"].value > 0.9
        assert rows[f"auc.whole.{pair}"].value == 1
    assert rows["auc.label"].value == rows["auc.key"].value == 0.5


async def test_answers_of_one_length_tell_nothing_but_by_their_header_fields() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != INFER:
            return web.Response(body=b" " * 1024, headers={"x-refused": "yes"})
        body = answer(sure(await rows_asked(request))).body
        assert isinstance(body, bytes)
        return web.Response(body=body.ljust(1024), content_type="application/json")

    async with serving(handle) as url:
        rows = await tried(LENGTH, url)
    for pair in ("label", "key", "batch", "model"):
        assert rows[f"auc.{pair}"].value == rows[f"auc50.{pair}"].value == 0.5
        assert rows[f"bits.{pair}"].value == 0
    assert rows["auc.whole.model"].value == 1
