"""Keys and what they ask: benign ones, and those a campaign is dealt out over.

Rule: no text that is tried was learnt from or ranked, and what a campaign asks it asks once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from extproc.calibration.lives import Watch
from extproc.calibration.thresholds import threshold
from extproc.calibration.usual_evidence import usual_evidence
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.trail import PERIOD
from extproc.detectors.detector import Counters
from extproc.detectors.features import Features
from extproc.detectors.observation import Observation
from tests.detection.judged import Judge
from tests.detection.populations import DAY, FOUR, Kind, Life
from tests.detection.texts import Corpus, Part, Rows

START: Final = 4000 * PERIOD
QUERIES: Final = 1000
SHARED: Final = 1
"""The block of addresses that a tenth of the benign keys is behind."""
SHARES: Final = {"a person": 0.5, "a team": 0.25, "a developer": 0.15, "an application": 0.1}
"""Of benign keys."""
SHORTEST, LONGEST = 5, 200
"""Queries of a benign key."""
LOOKS: Final = 40


@dataclass
class Caller:
    """A key: where it is, and what it asks when."""

    name: str
    traffic: str
    network: int
    client: int
    life: Life
    exchanges: list[Features]
    profiles: Iterator[Counters]
    """The counters after each of them."""
    asked: int = 0
    counters: Counters = field(default_factory=lambda: np.zeros(0, np.float32))
    digests: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Learnt:
    """What a calibration knows."""

    corpus: Corpus
    judge: Judge
    watch: Watch
    known: Knowledge
    thresholds: Mapping[str, float]
    """In nats, by traffic class."""
    discounts: Mapping[str, Mapping[str, float]]


def learnt(corpus: Corpus, lives: int, rng: np.random.Generator) -> Learnt:
    """By so many benign lives of all kinds."""
    judge = Judge(corpus, rng)
    by_class: dict[str, list[Life]] = {}
    for name, (kind, traffic) in FOUR.items():
        many = round(lives * SHARES[name])
        some = [life(corpus, "set", kind, rng) for _ in range(many)]
        by_class.setdefault(traffic, []).extend(some)
    floor = judge.floor([each for some in by_class.values() for each in some])
    watch = judge.panel(floor)
    usual, thresholds, discounts = {}, {}, {}
    for traffic, some in by_class.items():
        exchanges = [partial(judge.exchanges, each) for each in some]
        usual[traffic] = usual_evidence(watch, exchanges)
        found = threshold(watch.names, [watch.course(each()) for each in exchanges], [])
        thresholds[traffic], discounts[traffic] = found.nats, found.discounts
    shares = np.concatenate(judge.reference.shares)
    most = {name: max(each[name] for each in discounts.values()) for name in watch.names}
    known = Knowledge(watch.layout, shares / shares.sum(), max(thresholds.values()), usual, most)
    return Learnt(corpus, judge, watch, known, thresholds, discounts)


def life(corpus: Corpus, part: Part, kind: Kind, rng: np.random.Generator) -> Life:
    """The first days of one: 5 to 200 queries, log-uniformly, by day."""
    count = int(np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST))))
    rows = kind(corpus, part, rng).rows[:count]
    hours = rng.normal(13, 3, len(rows)).clip(0, 23)
    return Life(rows, np.sort(START + DAY * rng.integers(0, 4, len(rows)) + hours * 3600))


def benign(known: Learnt, number: int, rng: np.random.Generator) -> Caller:
    """A tenth is behind one address, a fifth in offices of eight; clients are of forty looks."""
    name = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    kind, traffic = FOUR[name]
    own = 100 + number // 40 if number % 5 == 1 else 10_000 + number
    network = SHARED if number % 10 == 0 else own
    made = life(known.corpus, "tried", kind, rng)
    return _caller(known, f"b{number}", traffic, network, _looks(rng), made)


@dataclass(frozen=True)
class Placed:
    """What the keys of a campaign have in common."""

    block: int = 0
    """The block of addresses that all come from; 0 for one each."""
    client: int = 0
    """What all of their clients look like; 0 for what others look like."""
    hour: bool = False
    """Whether all come in one hour."""


PLACES: Final = {
    "one block": Placed(block=2),
    "a block of 100 others": Placed(block=SHARED),
    "one client, of 70 others": Placed(client=3),
    "one hour": Placed(hour=True),
    "nothing": Placed(),
}


def campaign(
    known: Learnt, texts: Rows, keys: int, placed: Placed, rng: np.random.Generator
) -> list[Caller]:
    """Of these texts so many, each asked once, dealt out to keys; each asks in one session."""
    dealt = np.array_split(rng.permutation(texts)[:QUERIES], keys)
    found = []
    for number, rows in enumerate(dealt):
        session = float(START + DAY * rng.integers(0, 4) + rng.normal(13, 3) * 3600)
        if placed.hour:
            session = START + 13 * 3600 + rng.uniform(0, 3000)
        made = Life(rows, session + 20.0 * np.arange(len(rows), dtype=np.float64))
        network, looks = placed.block or 50_000 + number, placed.client or _looks(rng)
        found.append(_caller(known, f"a{number}", "user", network, looks, made))
    return found


def salad(corpus: Corpus, many: int, rng: np.random.Generator) -> Rows:
    """Random words of the right vocabulary."""
    texts = [" ".join(rng.choice(corpus.words, rng.integers(4, 12))) for _ in range(many)]
    return corpus.pool.rows(texts)


def observation(caller: Caller, time: float) -> Observation:
    network, client = (
        f"{(each * 0x9E3779B97F4A7C15) % 2**64:016x}"
        for each in (caller.network, caller.client + 7_000_000)
    )
    return Observation(
        time, caller.name, caller.name, "r", "m", "served", 1, network=network, client=client
    )


def _looks(rng: np.random.Generator) -> int:
    return min(int(rng.zipf(1.5)), LOOKS)


def _caller(
    known: Learnt, name: str, traffic: str, network: int, client: int, made: Life
) -> Caller:
    exchanges = list(known.judge.exchanges(made))
    profiles = known.watch.profiles(exchanges)
    return Caller(name, traffic, network, client, made, exchanges, profiles)
