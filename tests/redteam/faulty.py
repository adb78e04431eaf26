"""Gateways with planted faults, and the small models behind them: servers in this process.

Rule: they speak real HTTP, so that what is tested is what attacks them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import orjson
from aiohttp import web

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.answers import Floats
from extproc.redteam.attack import Attack
from extproc.redteam.row import Row
from extproc.redteam.trial import Trial, run
from extproc.redteam.victims.victim import ClassifierVictim, Secret

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Predict = Callable[[Floats], Floats]

INFER = "/v2/models/planted/infer"


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The URL of a server that answers everything by ``handler``, for the length of the block."""
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def victim(
    members: Floats | None = None, others: Floats | None = None, classes: int = 2
) -> ClassifierVictim:
    """Eight inputs each for everybody, of four numbers from 0 to 1; the truth is the largest's."""
    rng = np.random.default_rng(7)
    members = rng.random((8, 4)) if members is None else members
    others = rng.random((8, 4)) if others is None else others
    test, task = rng.random((40, 4)), rng.random((40, 4))
    return ClassifierVictim(
        name="planted",
        about="Planted.",
        adapter=Kserve("planted", "x", classes),
        dimensions=4,
        classes=classes,
        low=np.zeros(4),
        high=np.ones(4),
        task=task,
        natural=task,
        secret=Secret(
            test,
            truth(test, classes),
            members,
            truth(members, classes),
            others,
            truth(others, classes),
        ),
    )


def truth(inputs: Floats, classes: int = 2) -> Any:
    return inputs.argmax(axis=1) % classes


def sure(inputs: Floats) -> Floats:
    """Scores of a model that knows the truth."""
    return np.where(np.eye(2, dtype=bool)[truth(inputs)], 0.75, 0.25)


async def rows_asked(request: web.BaseRequest) -> Floats:
    """The inputs of a request; raise ValueError where they cannot be read."""
    tensor = orjson.loads(await request.read())["inputs"][0]
    return np.array(tensor["data"], np.float64).reshape(tensor["shape"])


def answer(scores: Floats) -> web.Response:
    outputs = [
        {"name": "probabilities", "data": scores.ravel()},
        {"name": "label", "data": scores.argmax(axis=1)},
    ]
    body = orjson.dumps({"outputs": outputs}, option=orjson.OPT_SERIALIZE_NUMPY)
    return web.Response(body=body, content_type="application/json")


def refusal(status: int = 429, **fields: str) -> web.Response:
    return web.Response(status=status, headers={k.replace("_", "-"): v for k, v in fields.items()})


def bearer(request: web.BaseRequest) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def model(predict: Predict) -> Handler:
    """Serves it to everybody."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != INFER or request.method != "POST":
            return refusal(404)
        return answer(predict(await rows_asked(request)))

    return handle


async def tried(
    attack: Attack,
    url: str,
    keys: Sequence[str] = (),
    *,
    against: ClassifierVictim | None = None,
    public: str = "",
    seed: int = 1,
    replicas: tuple[str, ...] = (),
) -> dict[str, Row]:
    """The rows of one trial by their measures; of several by one measure, the last."""
    planted = victim() if against is None else against
    place = (attack.budgets, url, public or url, keys)
    trial = Trial(attack, planted, "planted", seed, *place, replicas=replicas)
    return {row.measure: row for row in await run(trial, None)}
