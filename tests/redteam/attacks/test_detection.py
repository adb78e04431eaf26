"""Thieves and customers before a gateway whose detection is planted."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import orjson

from extproc.redteam.attack import Copy, Finding
from extproc.redteam.attacks.detection import ATTACK, CUSTOMERS, HABITS, THIEVES
from extproc.redteam.attacks.thief import ASKED, KEYS
from extproc.redteam.oracle import BATCH, Budget
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from tests.redteam.faulty import sure, victim
from tests.redteam.planted import Planted

FIRST_CUSTOMER = ATTACK.keys
PROBE = FIRST_CUSTOMER + CUSTOMERS * list(HABITS).index("probe") + 1

Judged = Callable[[int, int], str]
"""From the key and how many requests it has made to what it gets."""


async def _run(judged: Judged) -> tuple[dict[tuple[str, str], Finding], dict[str, Copy]]:
    asked: Counter[int] = Counter()

    def gateway(request: Request) -> tuple[int, object]:
        key = request.key or 0
        asked[key] += 1
        how = judged(key, asked[key])
        if how == "refused":
            return 429, {}
        tensor = orjson.loads(request.body)["inputs"][0]
        scores = sure(np.array(tensor["data"]).reshape(tensor["shape"]))
        outputs = [{"name": "label", "data": scores.argmax(axis=1).tolist()}]
        if how == "full":
            outputs.append({"name": "probabilities", "data": scores.ravel().tolist()})
        return 200, {"outputs": outputs}

    client, budgets = Planted(gateway, "gateway"), ATTACK.budgets
    scene = Scene(victim(), client, client, Budget(budgets[-1]), budgets, np.random.default_rng(1))
    gains = [gain async for gain in ATTACK.run(scene)]
    findings = {(g.measure, g.strategy): g for g in gains if isinstance(g, Finding)}
    return findings, {gain.strategy: gain for gain in gains if isinstance(gain, Copy)}


async def test_where_nobody_is_watched_nothing_is_noticed() -> None:
    findings, copies = await _run(lambda *_: "full")
    assert not [measure for measure, _ in findings if measure.startswith("before_")]
    assert {thief for measure, thief in findings if measure == "in_full"} == set(THIEVES)
    assert findings["in_full", "noise"].value == ASKED
    assert findings["false_alarms", ""].value == 0
    inputs = victim().secret.test
    agreed = [np.mean(copies[each].labels(inputs) == inputs.argmax(axis=1) % 2) for each in copies]
    assert copies.keys() == THIEVES.keys()
    assert max(agreed) > 0.85


async def test_thieves_are_told_from_customers_and_a_customer_that_is_taken_is_counted() -> None:
    def watched(key: int, count: int) -> str:
        if key >= FIRST_CUSTOMER:
            return "labels" if key == PROBE and count == 9 else "full"
        return "full" if count <= 3 else "labels" if count <= 5 else "refused"

    findings, _ = await _run(watched)
    assert findings["in_full", "noise"].value == 3
    assert findings["before_lowered", "noise"].value == 3
    assert findings["before_refused", "noise"].value == 5
    assert findings["in_full", f"other inputs, {KEYS} keys"].value == 3 * KEYS
    assert findings["in_full", f"other inputs, {BATCH} at once"].value == 40
    assert findings["customers", ""].value == CUSTOMERS * len(HABITS)
    assert findings["false_alarms", ""].value == 1
    assert findings["false_alarms", ""].note == "probe"
