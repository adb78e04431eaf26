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


def test_classes_are_paired_as_evenly_as_may_be() -> None:
    labels = np.repeat([0, 1, 2], [180, 10, 10])
    found = pairs(np.random.default_rng(1), 300, np.ones((200, 3)), labels)
    assert len(found) == 300
    shares = np.bincount([*found.own, *found.other]) / 600
    assert np.abs(shares - 1 / 3).max() < 0.06


def test_crossings_stand_one_after_another() -> None:
    one = Crossings(np.zeros((1, 2)), np.ones((1, 2)), np.array([1]), np.array([2]))
    two = Crossings(np.full((1, 2), 4.0), np.full((1, 2), 8.0), np.array([3]), np.array([4]))
    both = one.and_(two)
    assert both.middles.tolist() == [[0.5, 0.5], [6.0, 6.0]]
    assert (both.own.tolist(), both.other.tolist()) == ([1, 3], [2, 4])
