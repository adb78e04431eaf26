"""An overfit model gives its members away, and one that says nothing of them does not."""

from dataclasses import replace

import numpy as np
from aiohttp import web

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.answers import Floats
from extproc.redteam.attacks.membership import ATTACK, VOTES
from extproc.redteam.measures.privacy_bound import of_guesses
from tests.redteam.faulty import (
    answer,
    model,
    refusal,
    rows_asked,
    serving,
    tried,
    truth,
    victim,
)

_RNG = np.random.default_rng(11)
MEMBERS, OTHERS = _RNG.random((60, 4)), _RNG.random((60, 4))
AGAINST = victim(MEMBERS, OTHERS)


def _overfit(inputs: Floats) -> Floats:
    """Knows what it was trained on by heart, and errs about all else; near a member it is sure."""
    distance = np.abs(inputs[:, None] - MEMBERS[None]).max(axis=2)
    nearest = distance.argmin(axis=1)
    known = distance.min(axis=1) < 0.08
    told = np.where(known, truth(MEMBERS)[nearest], 1 - truth(inputs))
    sure = np.where(known, 0.99, 0.6)
    return np.where(np.arange(2) == told[:, None], sure[:, None], 1 - sure[:, None])


def _unknowing(inputs: Floats) -> Floats:
    """Scores that follow from the input and from nobody's membership."""
    chance = np.abs(np.sin(inputs @ np.array([311.0, 733.0, 977.0, 1231.0])))
    return np.stack([chance, 1 - chance], axis=1)


async def test_an_overfit_model_gives_its_members_away() -> None:
    async with serving(model(_overfit)) as url:
        rows = await tried(ATTACK, url, against=AGAINST)
    assert rows["auc.label_only"].value > 0.75
    for way in ("gap", "confidence", "highest", "entropy", "shadows"):
        assert rows[f"auc.{way}"].value > 0.85, way
    assert rows["found.confidence"].value > 0.9
    assert "95 % of one sample" in rows["auc.gap"].note


async def test_a_model_that_knows_nobody_gives_nobody_away() -> None:
    async with serving(model(_unknowing)) as url:
        rows = await tried(ATTACK, url, against=AGAINST)
    for name, row in rows.items():
        if name.startswith("auc."):
            assert 0.35 < row.value < 0.65, name


async def test_labels_alone_leave_what_is_right_and_how_much_noise_it_stands() -> None:
    async with serving(model(lambda inputs: _overfit(inputs).round())) as url:
        rows = await tried(ATTACK, url, against=AGAINST)
    left = {name for name in rows if name.startswith("auc.")}
    assert left == {"auc.gap", "auc.calibrated", "auc.label_only"}
    assert rows["auc.label_only"].value > 0.75
    assert rows["auc.calibrated"].value > 0.85


async def test_guesses_prove_epsilon_of_an_overfit_model_and_none_of_one_that_knows_nobody() -> (
    None
):
    proven = {}
    for name, predict in (("overfit", _overfit), ("unknowing", _unknowing)):
        async with serving(model(predict)) as url:
            rows = await tried(ATTACK, url, against=AGAINST)
        right, made, records = (
            round(rows[f"guesses.{each}"].value) for each in ("right", "made", "records")
        )
        assert made <= records == 60
        proven[name] = of_guesses(right, made, records, 1e-5)
    assert proven["overfit"] > 1.5
    assert proven["unknowing"] < 0.5


async def test_a_refusal_makes_nobody_look_like_a_member_or_like_none() -> None:
    """Of 140 candidates the last forty, none of them a member, are never answered."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        inputs = await rows_asked(request)
        return refusal(403) if len(inputs) == 40 else answer(_unknowing(inputs))

    others = np.random.default_rng(12).random((80, 4))
    async with serving(handle) as url:
        rows = await tried(ATTACK, url, against=victim(MEMBERS, others))
    for way in ("gap", "confidence", "label_only"):
        assert 0.35 < rows[f"auc.{way}"].value < 0.65, way


async def test_where_answers_run_out_who_has_none_is_no_less_a_member() -> None:
    """A model that knows nobody and is always right: whoever was answered would look like one."""
    left = 60

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal left
        inputs = await rows_asked(request)
        left -= len(inputs)
        return answer(np.eye(2)[truth(inputs)]) if left >= 0 else refusal()

    small = replace(AGAINST, adapter=Kserve("planted", "x", 2, most=10))
    async with serving(handle) as url:
        rows = await tried(ATTACK, url, against=small)
    assert left < 0
    told = {name: row.value for name, row in rows.items() if name.startswith("auc.")}
    assert told.keys() == {"auc.gap", "auc.calibrated", "auc.label_only"}
    assert 0.35 < min(told.values()) < max(told.values()) < 0.65


async def test_what_the_guesses_prove_is_told_too() -> None:
    async with serving(model(_overfit)) as url:
        rows = await tried(VOTES, url, against=AGAINST)
    right, made, records = (
        round(rows[f"guesses.{each}"].value) for each in ("right", "made", "records")
    )
    assert rows["guesses.epsilon"].value == of_guesses(right, made, records, 1e-5) > 1
