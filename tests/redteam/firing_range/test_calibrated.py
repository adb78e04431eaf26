"""Detection of the range: calibrated by benign traffic, and at work behind a real Envoy."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from extproc.redteam.answers import Floats
from extproc.redteam.attacks.detection import ATTACK
from extproc.redteam.client import Client
from extproc.redteam.firing_range.calibrated import calibrated
from extproc.redteam.firing_range.firing_range import SHIPPED, WATCHED
from extproc.redteam.firing_range.opened import opened
from extproc.redteam.firing_range.process import ProcessDied
from extproc.redteam.plan import Wanted, keys, plan
from extproc.redteam.policy_choice import choices
from extproc.redteam.victims import digits

SHARE = 2_000
VICTIM = digits.regression()
ATTACKS = {ATTACK.name: ATTACK}


async def test_where_nothing_detects_nothing_is_made() -> None:
    async with calibrated(SHIPPED, 1, SHARE) as made:
        assert await made == b""


async def test_a_policy_file_that_is_none_is_said_to_who_waits(tmp_path: Path) -> None:
    async with calibrated(tmp_path / "gone.yaml", 1, SHARE) as made:
        with pytest.raises(ValueError, match="No such file"):
            await made


@pytest.mark.slow
async def test_what_the_command_says_is_told_where_it_fails(tmp_path: Path) -> None:
    wrong = yaml.safe_load(WATCHED.read_text(encoding="utf-8"))
    wrong["detection"]["half_life"] = "soon"
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(wrong))
    async with calibrated(tmp_path / "policy.yaml", 1, 1) as made:
        with pytest.raises(ProcessDied, match="half_life"):
            await made


@pytest.mark.e2e
async def test_a_thief_is_lowered_and_refused_and_a_customer_beside_it_is_not() -> None:
    policies = {choice.label: choice for choice in choices(["watched"])}
    wanted = Wanted((ATTACK.name,), (), (policies["watched"],), (1,), None, everywhere=True)
    (trial,) = plan(wanted, ATTACKS, ("digits",))
    async with opened([trial], ATTACKS, [VICTIM], policies, SHARE) as ground:
        place = ground.places["watched"]
        assert place.parallel == 1, "who asks first matters"
        mine = keys(trial, ATTACK, place.issued)
        async with Client(place.url, mine) as client:
            rng = np.random.default_rng(1)
            other, own = rng.permutation(VICTIM.natural)[:30], rng.permutation(VICTIM.task)[:60]
            told = [await _asked(client, 0, one) for one in other]
            customer = [await _asked(client, ATTACK.keys, one) for one in own]
    assert told == sorted(told, key=["full", "labels", "refused"].index)
    assert told[:2] == ["full", "full"], "nobody is suspected of so little"
    assert told[-1] == "refused"
    assert told.count("full") <= 10
    assert set(customer) == {"full"}


async def _asked(client: Client, key: int, one: Floats) -> str:
    adapter = VICTIM.adapter
    answers = adapter.read(await client.send(adapter.request(one[None], key)), 1)
    if not answers.served[0]:
        return "refused"
    return "labels" if answers.scores is None else "full"
