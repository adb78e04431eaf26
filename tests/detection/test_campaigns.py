"""How soon campaigns are found, quick: with texts of a grammar.

The whole, with real texts, is ``python -m tests.detection.campaigns``; docs/detection.md has its
tables.
"""

import numpy as np
import pytest

from tests.detection import campaigns, dealt, newcomers
from tests.detection.campaigns import HALF, World, populated, trial
from tests.detection.dealt import PLACES, Learnt, campaign, learnt
from tests.detection.grammar import grammar

pytestmark = pytest.mark.slow
RNG = np.random.default_rng(2)


@pytest.fixture(scope="module")
def known() -> Learnt:
    rng = np.random.default_rng(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dealt, "SHARES", dict.fromkeys(dealt.SHARES, 0.25))
        return learnt(grammar(rng), 440, rng)


@pytest.fixture(scope="module")
def world(known: Learnt) -> World:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(campaigns, "BENIGN", 150)
        return populated(known, 0)


def test_nobody_is_suspected_where_nobody_attacks(world: World) -> None:
    assert world.suspected() == set()


def test_a_campaign_of_one_block_is_found_before_half_of_it(known: Learnt, world: World) -> None:
    """With texts of other domains; the grammar's own are too few to be dealt out evenly."""
    keys = campaign(known, known.corpus.elsewhere, 100, PLACES["one block"], RNG)
    found = trial(world.branched(), keys, known)
    assert found.found < HALF
    assert found.blamed == 0


def test_companies_of_benign_users_are_not(known: Learnt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all but teams, who ask of each of the grammar's five domains."""
    monkeypatch.setattr(newcomers, "GROUPS", 100)
    monkeypatch.setattr(newcomers, "LIVES", 100)
    _, _, *rows = newcomers.newcomers(known, RNG)
    others = [row for row in rows if "a team" not in row]
    assert len(others) == 8
    assert sum(int(row.split("|")[5]) for row in others) <= 1
