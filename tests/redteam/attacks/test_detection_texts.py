"""Thieves of texts' vectors and customers before a gateway whose detection is planted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import orjson

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Finding, VectorCopy
from extproc.redteam.attacks.detection_texts import ATTACK, CUSTOMERS, OF_EACH, THIEVES, TOPICS
from extproc.redteam.attacks.thief import ASKED
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from extproc.redteam.vector_judge import aligned_cosine, unit
from tests.redteam import planted

VICTIM = replace(planted.victim(300), topics=np.repeat(np.arange(6), 20))
TAKEN = ATTACK.keys + 2
"""The key of a customer."""


async def _run(scene: Scene) -> tuple[dict[tuple[str, str], Finding], dict[str, VectorCopy]]:
    gains = [gain async for gain in ATTACK.run(scene)]
    findings = {(g.measure, g.strategy): g for g in gains if isinstance(g, Finding)}
    return findings, {gain.strategy: gain for gain in gains if isinstance(gain, VectorCopy)}


def _worth(copy: VectorCopy) -> float:
    test = list(VICTIM.test)
    return aligned_cosine(unit(copy.embed(test)), planted.private_vectors(test))


async def test_where_nobody_is_watched_all_is_served_and_copied() -> None:
    asked: dict[int, list[str]] = {}

    def heard(request: Request) -> bool:
        asked.setdefault(request.key or 0, []).extend(orjson.loads(request.body)["input"])
        return False

    findings, copies = await _run(planted.scene(VICTIM, ATTACK.budgets, refuse=heard))
    assert {value.value for key, value in findings.items() if key[0] == "in_full"} == {ASKED}
    assert findings["false_alarms", ""].value == 0
    assert copies.keys() == THIEVES.keys()
    assert _worth(copies["texts of all documents"]) > 0.3
    test = list(VICTIM.test)
    customers = [texts for key, texts in asked.items() if key >= ATTACK.keys]
    assert len(customers) == CUSTOMERS
    for texts in customers:
        topics = {VICTIM.topics[test.index(text)] for text in texts}
        assert len(topics) <= TOPICS
        assert len(texts) == min(OF_EACH, 20 * len(topics))


async def test_less_is_noticed_of_thieves_and_of_customers() -> None:
    asked: Counter[int] = Counter()

    def served(vectors: Floats, key: int, _texts: Sequence[str]) -> Floats:
        asked[key] += 1
        narrow = asked[key] > 4 and (key < ATTACK.keys or key == TAKEN)
        return vectors[:, :6] if narrow else vectors

    findings, copies = await _run(planted.scene(VICTIM, ATTACK.budgets, served))
    assert _worth(copies["texts of all documents"]) < 0.2
    assert findings["in_full", "words in no order"].value == 4
    assert findings["before_lowered", "words in no order"].value == 4
    assert ("before_refused", "words in no order") not in findings
    assert findings["false_alarms", ""].value == 1
