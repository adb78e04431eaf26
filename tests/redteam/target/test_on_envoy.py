"""A target file for a real gateway before a victim of the range: the same numbers come of it."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from extproc.redteam.attacks.equation_solving import ATTACK
from extproc.redteam.client import Client
from extproc.redteam.firing_range.firing_range import SHIPPED, gateway, model_server
from extproc.redteam.firing_range.issue import Party
from extproc.redteam.judges import judge_of
from extproc.redteam.plan import Wanted, plan
from extproc.redteam.policy_choice import Choice
from extproc.redteam.row import Row
from extproc.redteam.target.target import Target, load
from extproc.redteam.trial import Trial, run
from extproc.redteam.victims import digits
from extproc.redteam.victims.victim import Victim

pytestmark = pytest.mark.e2e

BUDGETS = (65, 130)
BODY = (
    '{"inputs": [{"name": "image", "shape": [{{count}}, 64], "datatype": "FP64", '
    '"data": {{flat}}}]}'
)


def _written(directory: Path, url: str, bare: str, key: str) -> Target:
    (directory / "keys").write_text(key)
    np.save(directory / "rows.npy", digits.regression().task[:200])
    file = {
        "name": "digits",
        "kind": "classifier",
        "url": url,
        "request": {"path": "/v2/models/digits/infer", "body": BODY, "batch": 100},
        "answer": {
            "scores": "outputs[name=probabilities].data",
            "label": "outputs[name=label].data",
        },
        "inputs": "rows.npy",
        "keys": ["file:keys"],
        "classes": 10,
        "low": 0,
        "high": 16,
        "linear": True,
        "reference": {"url": bare},
    }
    (directory / "target.yaml").write_text(yaml.safe_dump(file))
    return load(directory / "target.yaml")


def _uniform(rows: list[Row]) -> dict[tuple[int, str], float]:
    """These inputs of the judge follow from the bounds, and are the same for both."""
    return {
        (row.budget, row.strategy): row.value for row in rows if row.measure == "agreement.uniform"
    }


async def test_what_a_target_file_describes_is_attacked_as_the_range_is(tmp_path: Path) -> None:
    parties = [Party("range", "standard"), Party("own", "standard")]
    async with (
        model_server(("digits",)) as bare,
        gateway(SHIPPED, bare, 1, parties) as running,
        Client(bare) as client,
    ):

        async def attacked(
            victim: Victim, policy: str, url: str, keys: tuple[str, ...]
        ) -> list[Row]:
            judge = await judge_of(victim, client)
            return await run(Trial(ATTACK, victim, policy, 1, BUDGETS, url, bare, keys), judge)

        target = _written(tmp_path, running.url, bare, running.keys["own"][0])
        wanted = Wanted(policies=(Choice("target"),), seeds=(1,), everywhere=True)
        attacks = target.attacks({ATTACK.name: ATTACK})
        trials = plan(wanted, attacks, ("digits",))
        async with target.ground(trials, attacks) as ground:
            place = ground.places["target"]
            issued = tuple(place.issued[trials[0].party])
            own = await attacked(target.victim, "target", place.url, issued)
        keys = tuple(running.keys["range"])
        there = await attacked(digits.regression(), "standard", running.url, keys)

    assert _uniform(own) == _uniform(there)
    assert len(_uniform(own)) >= len(BUDGETS)
    assert 0.5 < max(_uniform(own).values()) < 1
    assert [row.refused for row in own] == [0] * len(own)
