"""Handwritten digits and privacy: one network three times, trained plainly and under differential
privacy; and an ensemble of teachers, whose votes can be answered privately.

Rule: the split is that of `extproc.demo.server.models.digits`, and so are the few labels that are
wrong there.  A promise to every record is tried on those it matters most to: of the candidates
whose membership is asked, one in five is odd in this way, on both sides.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.answers import Ints
from extproc.redteam.victims import digits
from extproc.redteam.victims.victim import ClassifierVictim, Secret

ODD: Final = 45
"""Wrong labels, of those trained on, and of the others as many."""
BATCH: Final = 20
"""Inputs of one request to the teachers."""
_SEED: Final = 7
_OTHERS_SEED: Final = 8
_CLASSES: Final = 10
_NETWORK: Final = (
    "A network of 64 hidden units on scikit-learn's 8x8 digits, of which one label in thirty was"
    " wrong:"
)


def plain() -> ClassifierVictim:
    about = (
        f"{_NETWORK} reads 94 % of held-out digits rightly, and all that it was trained on as it"
        " was told."
    )
    return _victim("digits-plain", about)


def private_8() -> ClassifierVictim:
    about = f"{_NETWORK} reads 95 % of held-out digits rightly; DP-SGD, epsilon 8 at delta 1e-5."
    return _victim("digits-dp-8", about)


def private_3() -> ClassifierVictim:
    about = f"{_NETWORK} reads 93 % of held-out digits rightly; DP-SGD, epsilon 3 at delta 1e-5."
    return _victim("digits-dp-3", about)


def teachers() -> ClassifierVictim:
    """Whose requests are small, since one is answered whole or not at all."""
    about = (
        "A hundred teachers with 13 or 14 of scikit-learn's 8x8 digits each, of which one label in"
        " thirty was wrong: of held-out digits most of them read 94 % rightly; it tells its votes."
    )
    like = _victim("digits-teachers", about)
    return replace(like, adapter=Kserve(like.name, "image", _CLASSES, most=BATCH))


def _victim(name: str, about: str) -> ClassifierVictim:
    like = digits.perceptron()
    return replace(
        like,
        name=name,
        about=about,
        adapter=Kserve(name, "image", _CLASSES),
        secret=_secret(like.secret),
    )


def _secret(like: Secret) -> Secret:
    members, _, labels, _ = digits.split()
    told, odd = mislabelled(labels, _SEED)
    usual = np.setdiff1d(np.arange(len(members)), odd)[: len(like.others) - ODD]
    chosen = np.concatenate([odd, usual])
    return Secret(
        like.test,
        like.truth,
        members[chosen],
        told[chosen],
        like.others,
        mislabelled(like.other_truth, _OTHERS_SEED)[0],
    )


def mislabelled(labels: Ints, seed: int) -> tuple[Ints, Ints]:
    """The labels [N] with `ODD` of them replaced by another one, and which those are [ODD]."""
    rng = np.random.default_rng(seed)
    odd = rng.choice(len(labels), ODD, replace=False)
    told = labels.copy()
    told[odd] = (labels[odd] + rng.integers(1, _CLASSES, ODD)) % _CLASSES
    return told, odd
