"""Lengths that differ tell, and those that are filled up do not."""

import orjson
from aiohttp import web

from extproc.redteam.attacks.length import LENGTH, LENGTH_LANGUAGE
from extproc.redteam.trial import Trial, run
from extproc.redteam.victims.victim import LanguageVictim
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


async def test_a_header_field_is_as_long_as_its_line() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != INFER:
            return web.Response(body=b" " * 1022, headers={"x": "y"})
        return web.Response(body=b" " * 1024)

    async with serving(handle) as url:
        rows = await tried(LENGTH, url)
    assert rows["auc.whole.model"].value == 1, "two bytes less, and a line of six more"


async def test_of_a_language_model_a_long_answer_is_told_and_what_was_cached_is_not_asked() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked = orjson.loads(await request.read())
        return web.Response(body=b"a word " * asked["max_tokens"])

    victim = LanguageVictim("lm", "", 10, 4, ["one prompt", "another"], {"model": "lm"})
    async with serving(handle) as url:
        trial = Trial(LENGTH_LANGUAGE, victim, "p", 1, (1_000,), url, url, ())
        rows = {row.measure: row.value for row in await run(trial, None)}
    assert rows["auc.output"] == rows["auc.whole.output"] == 1
    assert {name.rpartition(".")[2] for name in rows} == {"output", "share"}
