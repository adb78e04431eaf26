"""Benign callers that come together: a company whose users all begin in one week.

Rule: groups are drawn of lives that are tried, with repeats, and looked at whenever another quarter
of their callers has come: what was reached once has been reached.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.calibration.interval import highest
from extproc.calibration.usual_evidence import passed
from extproc.cohorts.affinity import INCOHERENCE, incoherence, read
from extproc.cohorts.cohort import threshold
from extproc.cohorts.excess import BINS, average, bets, evidence, null
from extproc.cohorts.groups import weights
from extproc.cohorts.judging import FEW, PERIODS
from extproc.cohorts.usual import CHECKPOINTS, DRIFTS
from tests.detection.dealt import SHARES, Learnt, life
from tests.detection.populations import FOUR

GROUPS: Final = 3000
SIZES: Final = (100, 1000)
LIVES: Final = 400
"""Of each kind, that groups are drawn of."""
QUARTERS: Final = 4
_BATCH: Final = 50
_USERS: Final = [kind for kind, (_, traffic) in FOUR.items() if traffic == "user"]

Ranks = npt.NDArray[np.intp]
"""Shape (lives, detectors, CHECKPOINTS): the bin of each; BINS where one did not get so far."""


def newcomers(known: Learnt, rng: np.random.Generator) -> Iterator[str]:
    """A table: how many groups of benign callers are suspected."""
    yield "| all new, benign | traffic class | callers | groups | suspected | upper limit (95 %) |"
    yield "|---|---|---:|---:|---:|---:|"
    ranks = {kind: _ranks(known, kind, rng) for kind in FOUR}
    told: dict[str, tuple[str, Ranks]] = {
        f"{kind}, each": (FOUR[kind][1], each) for kind, each in ranks.items()
    }
    shares = np.array([SHARES[kind] for kind in _USERS])
    many = (LIVES * shares / shares.max()).astype(int)
    mixed = [ranks[kind][:count] for kind, count in zip(_USERS, many, strict=True)]
    told["persons, teams and developers"] = "user", np.concatenate(mixed)
    for name, (traffic, each) in told.items():
        for size in SIZES:
            groups = GROUPS * SIZES[0] // size
            alarms = _alarms(known, traffic, each, size, groups, rng)
            limit = f"{highest(alarms, groups):.2%}"
            yield f"| {name} | {traffic} | {size:,} | {groups:,} | {alarms} | {limit} |"


def _ranks(known: Learnt, kind: str, rng: np.random.Generator) -> Ranks:
    of, traffic = FOUR[kind]
    usual = known.known.usual[traffic]
    affinity = read(usual.affinity)
    found = np.full((LIVES, len(usual.quantiles), len(CHECKPOINTS)), BINS, np.intp)
    for number in range(LIVES):
        exchanges = partial(known.judge.exchanges, life(known.corpus, "tried", of, rng))
        for at, (told, cells) in passed(known.watch, exchanges):
            told[INCOHERENCE] = incoherence(cells, affinity)
            found[number, :, at] = list(usual.bins(at, told))
    return found


def _alarms(
    known: Learnt, traffic: str, ranks: Ranks, size: int, groups: int, rng: np.random.Generator
) -> int:
    """Suspected where there are few other groups: of many each must come to more."""
    rows = known.known.usual[traffic].quantiles.values()
    against = np.array([[bets(masses) for masses in map(null, each, DRIFTS)] for each in rows])
    shares = weights(known.known.usual[traffic])
    one_each = np.eye(BINS + 1, BINS, dtype=np.float32)[ranks]
    alarms = 0
    for start in range(0, groups, _BATCH):
        chosen = rng.integers(
            0, len(ranks), (min(_BATCH, groups - start), QUARTERS, size // QUARTERS)
        )
        counts = np.array([[one_each[part].sum(axis=0) for part in each] for each in chosen])
        told = evidence(np.cumsum(counts, axis=1), against)
        reached = average(told.reshape(len(chosen), QUARTERS, -1), shares).max(axis=1)
        alarms += int(np.count_nonzero(reached >= threshold(PERIODS, FEW)))
    return alarms
