"""What an attack has before it."""

from dataclasses import replace

import numpy as np
import pytest

from extproc.redteam.client import Client
from extproc.redteam.oracle import Budget
from extproc.redteam.scene import Scene
from tests.redteam import planted
from tests.redteam.planted_servers import VICTIM
from tests.redteam.test_probe import LANGUAGE

CLIENT = Client("http://127.0.0.1")
SCENE = Scene(VICTIM, CLIENT, CLIENT, Budget(10), (10,), np.random.default_rng(1))


def test_an_oracle_asks_the_gateway_within_the_budget_of_the_trial() -> None:
    classifier = SCENE.classifier()
    assert (classifier.client, classifier.adapter) == (CLIENT, VICTIM.adapter)
    assert classifier.budget is SCENE.budget
    embedding = planted.scene(planted.victim(10), (5,))
    assert embedding.embedder().budget is embedding.budget


def test_a_victim_is_what_the_attack_is_made_for() -> None:
    assert SCENE.target is VICTIM
    assert replace(SCENE, victim=LANGUAGE).language is LANGUAGE
    for kind in ("embedding", "language"):
        with pytest.raises(AssertionError):
            getattr(SCENE, kind)
    with pytest.raises(AssertionError):
        _ = replace(SCENE, victim=LANGUAGE).target
