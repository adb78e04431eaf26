"""Behind a real Envoy a copy is told to be a copy, by what the gateway kept, and of whom.

The quick version of ``extproc redteam --attack laundering``.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Copy, Gain
from extproc.redteam.attacks.laundering import ATTACK, launder
from extproc.redteam.client import Client
from extproc.redteam.firing_range.firing_range import MARKED, Gateway, gateway, model_server
from extproc.redteam.firing_range.issue import Party
from extproc.redteam.judges import judge_of
from extproc.redteam.owner.found import CLEAN, STOLEN, called
from extproc.redteam.owner.kept import Kept
from extproc.redteam.owner.labels import LabelOwner
from extproc.redteam.row import Row
from extproc.redteam.scene import Scene
from extproc.redteam.trial import Trial, run
from extproc.redteam.victims import digits

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

ASKED = 3_000
VICTIM = digits.regression()
PARTIES = [Party("thief", "marked"), Party("thief.0", "marked", cohort=False)]
FOREST = {way: called("forest", way) for way in (STOLEN, "smoothed by a vote", CLEAN)}


@dataclass
class _Forests:
    """The attack with those copies alone that take no time."""

    copies: dict[str, Callable[[Floats], Ints]] = field(default_factory=dict)

    async def __call__(self, scene: Scene) -> AsyncIterator[Gain]:
        async for gain in launder(scene, ["forest"]):
            if not isinstance(gain, Copy):
                yield gain
            elif gain.strategy in FOREST.values():
                self.copies[gain.strategy] = gain.labels
                yield gain


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bare() -> AsyncIterator[str]:
    async with model_server(("digits",)) as url:
        yield url


async def _rows(bare: str, running: Gateway, attack: _Forests) -> dict[tuple[str, str], float]:
    keys = tuple(key for party in PARTIES for key in running.keys[party.name])
    kept = Kept(running.folders, "thief", ("thief.0",))
    async with Client(bare) as client:
        judge = await judge_of(VICTIM, client)
    forests = replace(ATTACK, run=attack)
    trial = Trial(forests, VICTIM, "marked", 1, (ASKED,), running.url, bare, keys, kept=kept)
    rows: list[Row] = await run(trial, judge)
    return {(row.strategy, row.measure): row.value for row in rows}


async def test_the_thief_is_named_by_the_log_and_the_vault_and_who_asked_beside_him_is_not(
    bare: str,
) -> None:
    """Planted: the bystander's cells for the thief's, as at the end, and marks that are not served,
    as below.
    """
    attack = _Forests()
    async with gateway(MARKED, bare, 1, PARTIES) as running:
        rows = await _rows(bare, running, attack)
        wrong = LabelOwner(Kept(running.folders, "thief.0", ("thief",)))
        swapped = await wrong.finds(attack.copies[FOREST[STOLEN]], 1)
    for way in (STOLEN, "smoothed by a vote"):
        assert rows[FOREST[way], "marks.bits"] < -32
        assert rows[FOREST[way], "marks.found"] == 1
        assert rows[FOREST[way], "marks.accused"] == 0
    assert (rows[FOREST[CLEAN], "marks.found"], rows[FOREST[CLEAN], "marks.accused"]) == (0, 0)
    assert 0 < rows["", "relabelled"] < 0.01
    assert swapped is not None
    assert (swapped.named, swapped.accused) == (False, 1)


async def test_where_no_marks_are_served_nothing_is_found(bare: str, tmp_path: Path) -> None:
    document = yaml.safe_load(MARKED.read_text(encoding="utf-8"))
    del document["fidelities"]["marked"]["probabilities"][0]
    (tmp_path / "unmarked.yaml").write_text(yaml.safe_dump(document))
    async with gateway(tmp_path / "unmarked.yaml", bare, 1, PARTIES) as running:
        rows = await _rows(bare, running, _Forests())
    assert ("forest, as stolen", "agreement.task") in rows
    assert not any(measure.startswith("marks.") for _, measure in rows)
    assert rows["", "relabelled"] == 0
