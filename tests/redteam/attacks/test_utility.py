"""What a customer keeps is what it would count itself."""

import numpy as np
from aiohttp import web

from extproc.redteam.answers import Floats
from extproc.redteam.attacks.utility import ATTACK
from tests.redteam.faulty import model, refusal, serving, sure, tried, victim


def _half_right(inputs: Floats) -> Floats:
    """Right about the first half of the test's inputs, and at 0.75 sure of all."""
    test = victim().secret.test
    late = (inputs[:, None] == test[20:][None]).all(axis=2).any(axis=1)
    return np.where(late[:, None], sure(inputs)[:, ::-1], sure(inputs))


async def test_accuracy_and_calibration_are_those_of_what_was_told() -> None:
    async with serving(model(_half_right)) as url:
        rows = await tried(ATTACK, url)
    assert rows["accuracy"].value == 0.5
    assert rows["calibration_error"].value == 0.25
    assert rows["confidence.told"].value == 1
    assert 0 < rows["latency.served.p50"].value <= rows["latency.served.p95"].value
    assert rows["latency.bare.p50"].value > 0


async def test_labels_alone_have_no_calibration() -> None:
    async with serving(model(lambda inputs: sure(inputs).round())) as url:
        rows = await tried(ATTACK, url)
    assert rows["accuracy"].value == 1
    assert rows["confidence.told"].value == 0
    assert "calibration_error" not in rows


async def test_who_is_refused_keeps_nothing() -> None:
    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return refusal(403)

    async with serving(handle) as url, serving(model(sure)) as bare:
        rows = await tried(ATTACK, url, public=bare)
    assert rows["accuracy"].value == 0
    assert "latency.served.p50" not in rows
    assert "latency.bare.p50" in rows
