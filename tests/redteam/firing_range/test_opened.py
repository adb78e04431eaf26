"""All that a plan needs, running."""

import pytest

from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.client import Client
from extproc.redteam.firing_range.opened import models, opened
from extproc.redteam.plan import Wanted, keys, plan
from extproc.redteam.policy_choice import choices
from extproc.redteam.request import Request
from extproc.redteam.victims.roster import VICTIMS
from tests.redteam.test_probe import EMBEDDING, LANGUAGE


def test_the_model_server_serves_the_victims_and_nothing_else() -> None:
    assert models([VICTIMS["wine"](), EMBEDDING, LANGUAGE, VICTIMS["wine"]()]) == ("wine", "m")


@pytest.mark.e2e
async def test_each_trial_is_let_in_and_nobody_else() -> None:
    chosen = choices(["standard", "metered"])
    wanted = Wanted(("equation-solving",), ("digits",), chosen, (1,), None, everywhere=True)
    trials = plan(wanted, ATTACKS, ("digits",))
    victim = VICTIMS["digits"]()
    policies = {choice.label: choice for choice in choices(["standard", "metered", "shared"])}
    ready = Request("/v2/health/ready", method="GET")
    async with opened(trials, ATTACKS, [victim], policies) as ground:
        assert ground.places["none"].url == ground.bare
        assert ground.places["metered"].parallel == 1, "where it counts, order matters"
        assert len(ground.places["metered"].replicas) == 1, "nobody asks for another one"
        assert ground.places.keys() == {"none", "standard", "metered"}, "nobody asks shared"
        for trial in trials[1:]:
            place = ground.places[trial.policy]
            mine = keys(trial, ATTACKS[trial.attack], place.issued)
            async with Client(place.url, mine) as client, Client(place.url) as stranger:
                assert (await client.send(ready)).status == 200
                assert (await stranger.send(ready)).status == 401
