"""A judge for each victim."""

from dataclasses import replace
from itertools import count

import orjson
import pytest
from aiohttp import web

from extproc.redteam.answers import Floats
from extproc.redteam.client import Client
from extproc.redteam.judge import Judge
from extproc.redteam.judges import judge_of
from extproc.redteam.vector_judge import VectorJudge
from tests.redteam import planted
from tests.redteam.planted_servers import VICTIM, honest, serving
from tests.redteam.test_probe import LANGUAGE


async def test_a_judge_knows_what_the_victim_says_and_no_truth_that_nobody_knows() -> None:
    async with serving(honest) as url, Client(url) as client:
        judge = await judge_of(VICTIM, client)
    assert isinstance(judge, Judge)
    bench = judge.benches[0]
    found = dict(judge.verdict(lambda inputs: honest(inputs, "planted").argmax(axis=1)))
    assert found == {f"agreement.{name}": 1.0 for name in ("task", "uniform", "boundary")}
    assert len(bench.labels) == len(VICTIM.secret.test)


async def test_a_victim_that_does_not_answer_cannot_be_judged_by() -> None:
    stranger = replace(VICTIM, adapter=replace(VICTIM.adapter, model="nobody"))  # type: ignore[type-var]
    async with serving(honest) as url, Client(url) as client:
        with pytest.raises(ValueError, match="planted did not answer all that copies"):
            await judge_of(stranger, client)
        assert await judge_of(LANGUAGE, client) is None


async def test_one_answer_that_lacks_is_enough_to_have_no_judge() -> None:
    asked = count()

    def tired(inputs: Floats, model: str) -> Floats:
        if next(asked) == 5:
            raise web.HTTPTooManyRequests
        return honest(inputs, model)

    async with serving(tired) as url, Client(url) as client:
        with pytest.raises(ValueError, match="planted did not answer all"):
            await judge_of(VICTIM, client)


async def test_one_text_that_is_not_embedded_is_enough_to_have_no_judge() -> None:
    victim = planted.victim(10)
    whole = planted.scene(victim, (1,)).client
    assert isinstance(await judge_of(victim, whole), VectorJudge)
    half = planted.scene(
        victim, (1,), refuse=lambda request: len(orjson.loads(request.body)["input"]) < 100
    )
    with pytest.raises(ValueError, match="planted did not answer all"):
        await judge_of(victim, half.client)
