"""Halving finds the boundary, to as many bits as steps."""

import numpy as np

from extproc.redteam.walks.ledger import Ledger
from extproc.redteam.walks.line_search import Crossings, pairs, search
from tests.redteam.local_scene import digits, label

KNOWN = digits()


async def test_the_boundary_lies_between_two_places_that_come_nearer_with_each_step() -> None:
    scene = KNOWN.scene(label, [2_000], 1)
    ledger = Ledger(scene.classifier())
    await ledger.labels(KNOWN.victim.task)
    open_ = pairs(scene.rng, 50, ledger.inputs, ledger.answered)

    found = await search(ledger, open_, 10)

    assert len(found) == 50
    assert (KNOWN.model(found.near) == found.own).all()
    assert (KNOWN.model(found.far) == found.other).all()
    assert (found.own != found.other).all()
    way = np.linalg.norm(open_.far - open_.near, axis=1)
    assert np.allclose(np.linalg.norm(found.far - found.near, axis=1), way / 2**10)


async def test_where_all_is_refused_it_ends_and_the_labels_stay() -> None:
    scene = KNOWN.scene(label, [2_000], 1, refuse_after=0)
    nine = KNOWN.victim.task[:2]
    open_ = Crossings(nine[:1], nine[1:], np.array([1]), np.array([2]))

    found = await search(Ledger(scene.classifier()), open_, 5)

    assert found.other.tolist() == [2]
    assert (found.near == open_.near).all()


def test_inputs_of_one_label_make_no_pair() -> None:
    rng = np.random.default_rng(1)
    assert len(pairs(rng, 5, np.ones((4, 3)), np.zeros(4, np.int64))) == 0
