"""What the detectors say of lives: learnt, set and tried as ``extproc calibrate`` does it.

Rule: the same code as the sidecar's; only what is made of a text is made once, however many ask it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace as changed

from extproc.calibration import forest
from extproc.calibration.lives import Watch
from extproc.calibration.novelty_floor import strictest
from extproc.calibration.thresholds import combined
from extproc.detectors.calibration import Threshold
from extproc.detectors.detector import Detector
from extproc.detectors.features import Features, without_inputs
from extproc.detectors.fitting import fit
from extproc.detectors.novelty import Novelty
from extproc.detectors.observation import SAMPLE, Observation
from extproc.detectors.panel import layout
from extproc.detectors.profile import ASKED, Decay, Layout
from extproc.detectors.reference import Reference
from extproc.detectors.sketch import Sketcher
from extproc.dialects.noticed import Noticed
from tests.detection.curves import NEVER
from tests.detection.populations import DAY, Life
from tests.detection.texts import Corpus, Part

HALF_LIFE: Final = 7 * DAY
KEY: Final = b"of a trial, and of nothing else."
_AT_ONCE: Final = 32
"""Queries after which evidence is taken together."""
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
            for start in range(len(self._features), len(texts), SAMPLE):
                self._features += self._sketcher.features(self._asked(texts[start:][:SAMPLE]))
        return self._features[row]

    def know_all(self) -> None:
        """Of every text of the pool, what processes that begin now need not find out again."""
        if texts := self._corpus.pool.texts:
            self.features(len(texts) - 1)

    def exchanges(self, life: Life) -> Iterator[Features]:
        """Without what is asked again, as ``unrepeated`` leaves it, but all of a life at once."""
        outcomes = life.outcomes or ("served",) * len(life.rows)
        asked = [self.features(row) for row in life.rows.tolist()]
        nothing = changed(without_inputs(0.0, "served", 0), model=asked[0].model)
        new = first_asked(np.concatenate([each.digests for each in asked]))
        for each, time, outcome, first in zip(
            asked, life.times.tolist(), outcomes, new, strict=True
        ):
            yield changed(each if first else nothing, time=time, outcome=outcome)

    def plainly(self, life: Life) -> Iterator[Features]:
        """As the sidecar sees them."""
        outcomes = life.outcomes or ("served",) * len(life.rows)
        for row, time, outcome in zip(
            life.rows.tolist(), life.times.tolist(), outcomes, strict=True
        ):
            yield changed(self.features(row), time=time, outcome=outcome)

    def _asked(self, texts: Sequence[str]) -> list[Observation]:
        """Each alone, and what the model says to it."""
        noticed = Noticed(KEY)
        noticed.see_rows("probabilities", self._corpus.victim.probabilities(texts))
        return [
            Observation(
                time=0.0,
                tenant="",
                principal="",
                route="",
                model="model",
                outcome="served",
                queries=1,
                inputs=(text,),
                labels=(label,),
                margins=(margin,),
            )
            for text, label, margin in zip(texts, noticed.labels, noticed.margins, strict=True)
        ]

    def floor(self, benign: Sequence[Life]) -> float:
        novelty = watch(Novelty())
        return strictest([novelty.counted(self.exchanges(life)) for life in benign])

    def panel(self, floor: float, grown: Sequence[Life] = ()) -> Watch:
        """With a forest of these lives, in an order by chance, where there are any."""
        alone = Watch(layout(self.reference, floor, HALF_LIFE), Decay(HALF_LIFE), apart=True)
        if not grown:
            return alone
        half = len(grown) // 2
        sessions = forest.some(alone, map(self.exchanges, grown[:half]), np.random.default_rng(0))
        others = (forest.whole(alone, self.exchanges(life)) for life in grown[half:])
        trees = forest.grow(sessions, others, 0)
        return replace(alone, layout=layout(self.reference, floor, HALF_LIFE, trees))


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
    found, asked, profiles = [NEVER] * len(thresholds), 0, watch.profiles(exchanges)
    while NEVER in found and (some := [own.copy() for own in islice(profiles, _AT_ONCE)]):
        nats = watch.layout.evidences(np.array(some)).astype(np.float32)
        for place, each in enumerate(thresholds):
            less = {name: each.discounts.get(name, 0.0) for name in watch.names}
            reached = np.flatnonzero(combined(watch.names, nats, less) >= each.nats)
            if found[place] == NEVER and len(reached):
                found[place] = asked + int(reached[0]) + 1
        asked += len(some)
    return found


def _in_order(corpus: Corpus) -> list[str]:
    parts: tuple[Part, ...] = ("reference", "ranks")
    rows = [row for part in parts for row in corpus.spoken(corpus.whole(part)).tolist()]
    return [corpus.pool.texts[row] for row in rows]
