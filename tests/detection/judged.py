"""What the detectors say of lives: learnt, set and tried as ``extproc calibrate`` does it.

Rule: the same code as the sidecar's; only what is made of a text is made once, however many ask it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from extproc.calibration.lives import Watch
from extproc.calibration.novelty_floor import strictest
from extproc.detectors.calibration import Threshold
from extproc.detectors.detector import Detector
from extproc.detectors.evidence import combined
from extproc.detectors.features import Features, without_inputs
from extproc.detectors.fitting import fit
from extproc.detectors.novelty import Novelty
from extproc.detectors.observation import SAMPLE, Observation
from extproc.detectors.panel import panel
from extproc.detectors.profile import ASKED, Decay, Layout
from extproc.detectors.reference import Reference
from extproc.detectors.sketch import Sketcher
from tests.detection.curves import NEVER
from tests.detection.populations import DAY, Life
from tests.detection.texts import Corpus, Part

HALF_LIFE: Final = 7 * DAY
KEY: Final = b"of a trial, and of nothing else."
_BITS: Final = np.uint64(ASKED * 8 - 1)


class Judge:
    """Who has learnt what benign callers of a corpus ask."""

    def __init__(self, corpus: Corpus, rng: np.random.Generator) -> None:
        self._corpus = corpus
        self.reference: Reference = fit(_in_order(corpus), KEY, rng)
        self._sketcher = Sketcher(self.reference, KEY)
        self._features: list[Features] = []

    def features(self, row: int) -> Features:
        """Of a text of the pool."""
        texts = self._corpus.pool.texts
        if row >= len(self._features):
            fresh = [_asked(text) for text in texts[len(self._features) :]]
            for start in range(0, len(fresh), SAMPLE):
                self._features += self._sketcher.features(fresh[start : start + SAMPLE])
        return self._features[row]

    def exchanges(self, life: Life) -> Iterator[Features]:
        """Without what is asked again, as ``unrepeated`` leaves it, but all of a life at once."""
        outcomes = life.outcomes or ("served",) * len(life.rows)
        asked = [self.features(row) for row in life.rows.tolist()]
        nothing = replace(without_inputs(0.0, "served", 0), model=asked[0].model)
        new = first_asked(np.concatenate([each.digests for each in asked]))
        for each, time, outcome, first in zip(
            asked, life.times.tolist(), outcomes, new, strict=True
        ):
            yield replace(each if first else nothing, time=time, outcome=outcome)

    def plainly(self, life: Life) -> Iterator[Features]:
        """As the sidecar sees them."""
        outcomes = life.outcomes or ("served",) * len(life.rows)
        for row, time, outcome in zip(
            life.rows.tolist(), life.times.tolist(), outcomes, strict=True
        ):
            yield replace(self.features(row), time=time, outcome=outcome)

    def floor(self, benign: Sequence[Life]) -> float:
        novelty = watch(Novelty())
        return strictest([novelty.counted(self.exchanges(life)) for life in benign])

    def panel(self, floor: float) -> Watch:
        return watch(*panel(self.reference, floor, HALF_LIFE))


def watch(*detectors: Detector) -> Watch:
    """For exchanges of which repeats have been set apart."""
    return Watch(Layout(detectors), Decay(HALF_LIFE), apart=True)


def first_asked(digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """As ``profile.fresh`` of one after the other, of fewer than make it forget."""
    new = np.zeros(len(digests), np.bool_)
    new[np.unique(digests & _BITS, return_index=True)[1]] = True
    return new


def firsts(
    watch: Watch, thresholds: Sequence[Threshold], exchanges: Iterable[Features]
) -> list[int]:
    """The number of the query, from 1, after which evidence reaches each; NEVER where it does not.

    Evidence is taken after every query.
    """
    found = [NEVER] * len(thresholds)
    for number, counters in enumerate(watch.profiles(exchanges), 1):
        evidence = watch.layout.evidence(counters)
        for place, each in enumerate(thresholds):
            if found[place] == NEVER and combined(evidence, each.discounts) >= each.nats:
                found[place] = number
        if NEVER not in found:
            break
    return found


def _in_order(corpus: Corpus) -> list[str]:
    parts: tuple[Part, ...] = ("reference", "ranks")
    return [corpus.pool.texts[row] for part in parts for row in corpus.whole(part).tolist()]


def _asked(text: str) -> Observation:
    return Observation(
        time=0.0,
        tenant="",
        principal="",
        route="",
        model="model",
        outcome="served",
        queries=1,
        inputs=(text,),
    )
