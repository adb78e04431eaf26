"""Detectors that are easy to reckon with, and observations of callers."""

import io
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import Features, without_inputs
from extproc.detectors.likelihood import Nats
from extproc.detectors.observation import Observation
from extproc.detectors.profile import Decay, Layout
from extproc.escalation import Ladder, Step
from extproc.limits import Concurrency, Limit
from extproc.server.detection.finding import Finding
from extproc.server.detection.settings import Settings, Terms
from extproc.server.record import Records
from extproc.stores.profiles import Profiles

NOW: Final = 1_700_000_000.0
DAY: Final = 86_400.0
CELLS: Final = 8
THRESHOLD: Final = 10.0


class Cells:
    """A nat for each query."""

    name = "coverage"
    size = CELLS

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        for cell in features.cells.tolist():
            counters[cell % CELLS] += weight

    def evidence(self, counters: Counters) -> Nats:
        return np.array(counters.sum(axis=-1), np.float64)


class Volume:
    """How many queries, of which it says nothing."""

    name = "volume"
    size = 1

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        counters[0] += weight * features.queries

    def evidence(self, counters: Counters) -> Nats:
        return np.full(counters.shape[:-1], -np.inf)


class Sketch:
    """A digest and a cell of an input that is a number."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def features(self, observations: Sequence[Observation]) -> list[Features]:
        self.sizes.append(sum(len(each.inputs) for each in observations))
        return [_features(each) for each in observations]


def _features(observation: Observation) -> Features:
    numbers = np.array([hash(each) for each in observation.inputs], np.int64)
    return replace(
        without_inputs(observation.time, observation.outcome, observation.queries),
        digests=(numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20),
        simhashes=numbers.astype(np.uint64),
        cells=(numbers % 1000).astype(np.int16),
        surprises=np.zeros(len(numbers), np.float32),
        lengths=np.zeros(len(numbers), np.uint8),
        entropies=np.zeros(len(numbers), np.uint8),
        scripts=np.zeros(len(numbers), np.uint8),
    )


def layout() -> Layout:
    return Layout((Cells(), Volume()))


def profiles(capacity: int = 100, half_life: float = DAY) -> Profiles:
    draws = np.random.default_rng(1)
    return Profiles(layout(), Decay(half_life), capacity, draws=draws)


def asked(
    *inputs: Any, tenant: str = "acme", principal: str = "key:1", **given: Any
) -> Observation:
    values = {
        "time": NOW,
        "route": "POST /v1/x",
        "model": "m",
        "outcome": "served",
        "queries": len(inputs),
        **given,
    }
    return Observation(tenant=tenant, principal=principal, inputs=inputs, **values)


def features(*inputs: Any, time: float = NOW, **given: Any) -> Features:
    return _features(asked(*inputs, time=time, **given))


def settings(**given: Any) -> Settings:
    return Settings(**{"thresholds": {"user": THRESHOLD}, "half_life": DAY, **given})


def ladder(*steps: tuple[float, float, str], **given: Any) -> Ladder:
    limit = Limit(Concurrency("suspicion", 1), "concurrent")
    return Ladder(
        tuple(Step(above, seconds, limit, name) for above, seconds, name in steps), **given
    )


def terms(**given: Any) -> Terms:
    return Terms(**{"policy": "v1", **given})


class Told:
    """A listener."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def found(self, finding: Finding) -> None:
        self.findings.append(finding)


@cache
def records() -> Records:
    """One for all: each has a thread."""
    return Records(io.BytesIO())
