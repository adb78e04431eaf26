"""What a customer keeps is what it would count itself."""

from dataclasses import replace

import numpy as np
import orjson
from aiohttp import web

from extproc.redteam.answers import Floats
from extproc.redteam.attacks.utility import ATTACK
from tests.redteam.faulty import (
    answer,
    model,
    refusal,
    rows_asked,
    serving,
    sure,
    tried,
    truth,
    victim,
)


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


async def test_of_answers_without_scores_no_confidence_is_made_up() -> None:
    """The last twenty of 120 inputs come with a label alone; all are right, and sure at 0.75."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        scores = sure(await rows_asked(request))
        if len(scores) != 20:
            return answer(scores)
        labels = [{"name": "label", "data": scores.argmax(axis=1).tolist()}]
        return web.Response(body=orjson.dumps({"outputs": labels}))

    test = np.random.default_rng(1).random((120, 4))
    planted = victim()
    against = replace(planted, secret=replace(planted.secret, test=test, truth=truth(test)))
    async with serving(handle) as url:
        rows = await tried(ATTACK, url, against=against)
    assert rows["accuracy"].value == 1
    assert rows["calibration_error"].value == 0.25
