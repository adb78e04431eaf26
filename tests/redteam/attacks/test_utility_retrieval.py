from dataclasses import replace

import numpy as np
import orjson
import pytest
from aiohttp import web

from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.attacks.utility_retrieval import ATTACK
from extproc.redteam.trial import Trial, run
from extproc.redteam.victims.victim import EmbeddingVictim
from tests.redteam.faulty import refusal, serving

TEXTS = [f"{topic} {at}" for topic in "ab" for at in range(40)]
VICTIM = EmbeddingVictim(
    name="planted",
    about="Planted.",
    adapter=OpenAiEmbeddings("planted", 4),
    dimensions=4,
    task=TEXTS,
    test=TEXTS,
    topics=np.repeat([0, 1], 40),
)


async def _exact(request: web.BaseRequest) -> web.StreamResponse:
    """Vectors by topic and number."""
    texts = orjson.loads(await request.read())["input"]
    data = [
        {"embedding": [float(t[0] == "a"), float(t[0] == "b"), int(t[2:]) / 99, 0.5]} for t in texts
    ]
    return web.Response(body=orjson.dumps({"data": data}))


async def _constant(request: web.BaseRequest) -> web.StreamResponse:
    count = len(orjson.loads(await request.read())["input"])
    return web.Response(body=orjson.dumps({"data": [{"embedding": [1, 0, 0, 0]}] * count}))


async def _rows(url: str, public: str, victim: EmbeddingVictim = VICTIM) -> dict[str, float]:
    trial = Trial(ATTACK, victim, "planted", 1, ATTACK.budgets, url, public, ())
    return {row.measure: row.value for row in await run(trial, None)}


async def test_the_models_own_vectors_find_all_that_it_finds() -> None:
    async with serving(_exact) as url:
        rows = await _rows(url, url)
    for measure in ("recall_at_10", "ndcg_at_10", "ndcg_at_10.bare"):
        assert rows[measure] == pytest.approx(1)
    assert rows["latency.served.p50"] > 0


async def test_vectors_that_say_nothing_find_little() -> None:
    async with serving(_constant) as url, serving(_exact) as public:
        rows = await _rows(url, public)
    assert rows["ndcg_at_10.bare"] == pytest.approx(1)
    assert rows["ndcg_at_10"] < 0.7
    assert rows["recall_at_10"] < 0.5


async def test_who_is_refused_has_no_ranking() -> None:
    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return refusal(403)

    async with serving(handle) as url, serving(_exact) as public:
        assert "recall_at_10" not in await _rows(url, public)


async def test_who_is_refused_a_part_has_no_ranking_either() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        whole = len(orjson.loads(await request.read())["input"]) == 100
        return await _exact(request) if whole else refusal(403)

    more = replace(VICTIM, test=TEXTS * 2, topics=np.tile(VICTIM.topics, 2))
    async with serving(handle) as url, serving(_exact) as public:
        assert "recall_at_10" not in await _rows(url, public, more)
