"""Servers that are planted wrong, in this process: a softmax victim and what stands before it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import orjson
from aiohttp import web

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.answers import Floats
from extproc.redteam.victims.victim import ClassifierVictim, Secret

KEY = "xk-right"
ANY = "any key"
WEIGHTS = np.random.default_rng(5).normal(size=(4, 3))
_RNG = np.random.default_rng(6)
_NOTHING = np.zeros(0, np.int64)
Say = Callable[[Floats, str], Floats]

VICTIM = ClassifierVictim(
    name="planted",
    about="Softmax regression that a test planted.",
    adapter=Kserve("planted", "x", 3),
    dimensions=4,
    classes=3,
    low=np.full(4, -1.0),
    high=np.ones(4),
    task=_RNG.uniform(-1, 1, (40, 4)),
    natural=np.zeros((0, 4)),
    secret=Secret(
        _RNG.uniform(-1, 1, (60, 4)),
        _NOTHING,
        np.zeros((0, 4)),
        _NOTHING,
        np.zeros((0, 4)),
        _NOTHING,
    ),
    linear=True,
)


def honest(inputs: Floats, model: str) -> Floats:
    if model != "planted":
        raise web.HTTPNotFound
    exponents = np.exp(inputs @ WEIGHTS)
    scores: Floats = exponents / exponents.sum(axis=1, keepdims=True)
    return scores


@asynccontextmanager
async def serving(say: Say, key: str | None = None) -> AsyncIterator[str]:
    """A server that says this, to those who show ``key``, or any key at all; gives its URL."""

    async def infer(request: web.Request) -> web.Response:
        shown = request.headers.get("authorization")
        if key is not None and shown != f"Bearer {key}" and not (shown and key == ANY):
            raise web.HTTPUnauthorized
        tensor = orjson.loads(await request.read())["inputs"][0]
        scores = say(np.array(tensor["data"]).reshape(tensor["shape"]), request.match_info["model"])
        outputs = [
            {"name": "probabilities", "data": scores.ravel().tolist()},
            {"name": "label", "data": scores.argmax(axis=1).tolist()},
        ]
        return web.Response(body=orjson.dumps({"outputs": outputs}))

    app = web.Application()
    app.router.add_post("/v2/models/{model}/infer", infer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
