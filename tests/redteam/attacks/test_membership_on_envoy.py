"""Seen through a real Envoy, plain training tells who was trained on, and private training not."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from extproc.redteam.attacks.membership import ATTACK
from extproc.redteam.firing_range.firing_range import SHIPPED, Gateway, gateway, model_server
from extproc.redteam.firing_range.issue import Party
from extproc.redteam.measures.privacy_bound import of_guesses
from extproc.redteam.row import Row
from extproc.redteam.trial import Trial, run
from extproc.redteam.victims.roster import VICTIMS

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

MODELS = ("digits-plain", "digits-dp-8")
POLICIES = ("standard", "coarse")
DELTA = 1e-5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stands() -> AsyncIterator[tuple[str, Gateway]]:
    parties = [Party(policy, policy, 1, 1, cohort=False) for policy in POLICIES]
    async with model_server(MODELS) as bare, gateway(SHIPPED, bare, 1, parties) as running:
        yield bare, running


async def _rows(stands: tuple[str, Gateway], name: str, policy: str) -> dict[str, Row]:
    bare, running = stands
    place = (ATTACK.budgets, running.url, bare, running.keys[policy])
    return {
        row.measure: row
        for row in await run(Trial(ATTACK, VICTIMS[name](), policy, 1, *place), None)
    }


def _proven(rows: dict[str, Row]) -> float:
    right, made, records = (
        round(rows[f"guesses.{each}"].value) for each in ("right", "made", "records")
    )
    return of_guesses(right, made, records, DELTA)


@pytest.mark.parametrize("policy", POLICIES)
async def test_plain_training_tells_members_however_little_is_told_of_answers(
    stands: tuple[str, Gateway], policy: str
) -> None:
    rows = await _rows(stands, "digits-plain", policy)
    assert rows["auc.calibrated"].value > 0.65
    assert rows["found.calibrated"].value > 0.15
    assert _proven(rows) > 1
    assert rows["refused.share"].value == 0


async def test_private_training_tells_hardly_any_and_keeps_its_promise(
    stands: tuple[str, Gateway],
) -> None:
    rows = await _rows(stands, "digits-dp-8", "standard")
    assert rows["auc.calibrated"].value < 0.58
    assert rows["found.calibrated"].value < 0.08
    assert _proven(rows) < 8
    assert rows["refused.share"].value == 0
