"""A promise that is not kept shows, whichever way it is not; and one that is kept does not."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import numpy as np
import yaml
from aiohttp import web

from extproc.privacy import capacity, exact, gaussian_cost
from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.attack import Finding, Gain
from extproc.redteam.attacks.private_votes import ASKED, ATTACK, BATCH, GRANTED
from extproc.redteam.firing_range.firing_range import PRIVATE
from extproc.redteam.scene import Scene
from extproc.redteam.victims import digits_private
from tests.redteam.faulty import bearer, refusal, rows_asked, serving, tried, truth, victim

KEYS = [f"k{at}" for at in range(ATTACK.keys)]
AGAINST = replace(
    victim(),
    adapter=Kserve("planted", "x", 2, most=BATCH),
    task=np.random.default_rng(3).random((400, 4)),
)


@dataclass
class _Ensemble:
    """Answers each input once per tenant for one unit of its budget, and again for none."""

    granted: int = GRANTED
    by_key: bool = False
    forgets: bool = False
    new_noise: bool = False
    spent: Counter[int] = field(default_factory=Counter)
    told: dict[tuple[int, bytes], int] = field(default_factory=dict)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        key = KEYS.index(bearer(request))
        tenant = key if self.by_key else key % 2
        rows = await rows_asked(request)
        names = [(tenant, row.tobytes()) for row in rows]
        fresh = [name for name in names if name not in self.told]
        if self.spent[tenant] + len(fresh) > self.granted or (self.forgets and not fresh):
            return refusal()
        self.spent[tenant] += len(fresh)
        again = len(fresh) < len(names)
        for name, label in zip(names, truth(rows), strict=True):
            self.told[name] = 1 - label if self.new_noise and again else label
        labels = [self.told[name] for name in names]
        output = {"name": "votes", "data": np.eye(2)[labels].ravel().tolist()}
        return web.json_response({"outputs": [output]})


async def _measured(scene: Scene) -> AsyncIterator[Gain]:
    """All but the copy that is made of it."""
    async for gain in ATTACK.run(scene):
        yield gain
        if isinstance(gain, Finding) and gain.measure == "again.more":
            return


async def _found(ensemble: _Ensemble) -> dict[str, float]:
    async with serving(ensemble.handle) as url:
        rows = await tried(replace(ATTACK, run=_measured), url, KEYS, against=AGAINST)
    return {name: row.value for name, row in rows.items()}


async def test_a_promise_that_is_kept_is_used_up_and_not_passed() -> None:
    found = await _found(_Ensemble())
    assert (found["answers.told"], found["answers.over"]) == (GRANTED, 0)
    assert (found["again.told"], found["again.other"], found["again.more"]) == (1, 0, 0)
    assert found["answers.right"] == 1


async def test_without_one_everything_is_over_it() -> None:
    found = await _found(_Ensemble(granted=10_000))
    assert (found["answers.told"], found["answers.over"]) == (ASKED, ASKED - GRANTED)


async def test_keys_of_one_tenant_that_have_one_each_are_found() -> None:
    assert (await _found(_Ensemble(by_key=True)))["answers.over"] > 0


async def test_a_memory_that_is_lost_is_found() -> None:
    assert (await _found(_Ensemble(forgets=True)))["again.told"] == 0


async def test_noise_that_is_thrown_anew_is_found() -> None:
    assert (await _found(_Ensemble(new_noise=True)))["again.other"] == 1


def test_the_policy_has_room_for_as_many_answers_as_its_documentation_says() -> None:
    document = yaml.safe_load(PRIVATE.read_text())
    (noise,) = document["fidelities"]["private"]["votes"]
    (budget,) = document["policies"]["private"]["budgets"]
    room = capacity(budget["epsilon"], budget["delta"])
    cost = gaussian_cost(exact(2), exact(noise["scale"]))
    assert room // cost.gdp == GRANTED
    assert f"{GRANTED} answers" in PRIVATE.read_text()
    assert digits_private.BATCH == BATCH
