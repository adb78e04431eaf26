"""What the shipped policies hold against abuse and onlookers, with a real Envoy in front."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from extproc.redteam.attack import Attack
from extproc.redteam.attacks.budget_bypass import ATTACK as BUDGET_BYPASS
from extproc.redteam.attacks.length import LENGTH
from extproc.redteam.attacks.oracles import ATTACK as ORACLES
from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.attacks.sybil import SYBIL_LINKED
from extproc.redteam.firing_range.firing_range import SHIPPED, Gateway, gateway, model_server
from extproc.redteam.firing_range.issue import Party
from extproc.redteam.row import Row
from extproc.redteam.trial import Trial, run
from extproc.redteam.victims import digits

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

_PARTIES = [
    Party(f"{attack.name}.{policy}", policy, attack.keys, attack.tenants, attack.linked)
    for attack, policy in (
        (BUDGET_BYPASS, "metered"),
        (BUDGET_BYPASS, "standard"),
        (LENGTH, "sealed"),
        (ORACLES, "metered"),
        (SYBIL_LINKED, "metered"),
    )
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stands() -> AsyncIterator[tuple[str, Gateway]]:
    async with (
        model_server(("digits",)) as bare,
        gateway(SHIPPED, bare, 1, _PARTIES) as running,
    ):
        yield bare, running


async def _rows(stands: tuple[str, Gateway], attack: Attack, policy: str) -> dict[str, Row]:
    bare, running = stands
    keys = running.keys[f"{attack.name}.{policy}"]
    assert attack is ATTACKS[attack.name]
    trial = Trial(attack, digits.regression(), policy, 1, attack.budgets, running.url, bare, keys)
    return {row.measure: row for row in await run(trial, None)}


async def test_a_budget_holds_against_every_trick(stands: tuple[str, Gateway]) -> None:
    rows = await _rows(stands, BUDGET_BYPASS, "metered")
    assert rows["served_over_budget"].value == 0, rows["served_over_budget"].note
    assert rows["served_over_budget"].refused > 10_000


async def test_where_there_is_no_budget_that_is_noticed(stands: tuple[str, Gateway]) -> None:
    rows = await _rows(stands, BUDGET_BYPASS, "standard")
    assert rows["over.plain"].value == 2_000


async def test_a_known_cohort_has_one_budget(stands: tuple[str, Gateway]) -> None:
    rows = await _rows(stands, SYBIL_LINKED, "metered")
    assert 0.8 < rows["served.share"].value <= 5 / 6
    assert 0.15 < rows["in_detail.share"].value <= 1 / 6
    assert rows["served_before_change"].value <= 1_000


async def test_filled_up_answers_have_one_length(stands: tuple[str, Gateway]) -> None:
    rows = await _rows(stands, LENGTH, "sealed")
    for pair in ("label", "model", "batch"):
        assert rows[f"auc.{pair}"].value == 0.5
    assert rows["auc.key"].value == 1  # strangers have no policy of their own


async def test_refusals_of_one_class_look_alike(stands: tuple[str, Gateway]) -> None:
    rows = await _rows(stands, ORACLES, "metered")
    assert rows["told_apart"].value == 0
    assert rows["headers.leaking"].value == rows["members.telling"].value == 0
    assert rows["headers.limits"].value > 0
