"""Keys and what they ask: benign ones, and those a campaign is dealt out over.

Rule: no text that is tried was learnt from or ranked, and no attacker asks a text that a benign key
does.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.trail import PERIOD
from extproc.cohorts.usual import CHECKPOINTS, usual
from extproc.detectors.coverage import Coverage
from extproc.detectors.detector import Counters
from extproc.detectors.features import Features, without_inputs
from extproc.detectors.fitting import fit
from extproc.detectors.novelty import Novelty
from extproc.detectors.observation import SAMPLE, Observation
from extproc.detectors.profile import Layout
from extproc.detectors.sketch import Sketcher

KEY: Final = b"a key of this trial, of 32 bytes"
START: Final = 4000 * PERIOD
QUERIES: Final = 1000
SHARED: Final = 1
"""The block of addresses that a tenth of the benign keys is behind."""

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Texts:
    """Sketched, of one part."""

    features: Features
    intents: Places
    """Of each text; -1 where nobody knows."""

    def some(self, places: Places) -> Features:
        got = self.features
        return replace(
            without_inputs(START, "served", len(places)),
            digests=got.digests[places],
            cells=got.cells[places],
            surprises=got.surprises[places],
        )


@dataclass(frozen=True)
class Corpus:
    layout: Layout
    base: npt.NDArray[np.float64]
    parts: dict[str, Texts]
    domains: Places
    """Of each intent."""


def corpus(directory: Path) -> Corpus:
    """Learn the reference, and sketch all other parts."""
    whole = json.loads((directory / "clinc_full.json").read_text())
    named = json.loads((directory / "clinc_domains.json").read_text())
    intents = sorted(intent for of in named.values() for intent in of)
    domains = [next(n for n, of in enumerate(named.values()) if each in of) for each in intents]
    train, later = (_by_intent(whole, names, intents) for names in (("train",), ("val", "test")))
    learnt = [text for cut in (slice(40), slice(40, 70)) for each in train for text in each[cut]]
    reference = fit(learnt, KEY, np.random.default_rng(1))
    sketcher = Sketcher(reference, KEY)
    with (directory / "banking_train.csv").open(encoding="utf-8", newline="") as file:
        banking = [row[0] for row in csv.reader(file)][1:]
    parts = {
        "set": _sketched(sketcher, [each[70:] for each in train]),
        "tried": _sketched(sketcher, [each[:25] for each in later]),
        "in-distribution": _sketched(sketcher, [each[25:] for each in later]),
        "other domain": _sketched(sketcher, [banking]),
        "word salad": _sketched(sketcher, [_salad(learnt, 3000)]),
    }
    layout = Layout([Coverage(reference.shares), Novelty()])
    base = np.concatenate([np.array(each) for each in reference.shares])
    return Corpus(layout, base, parts, np.array(domains, np.intp))


def _by_intent(
    whole: dict[str, list[list[str]]], names: Sequence[str], intents: list[str]
) -> list[list[str]]:
    found: dict[str, list[str]] = {intent: [] for intent in intents}
    for name in names:
        for text, intent in whole[name]:
            found[intent].append(text)
    return list(found.values())


def _salad(learnt: Sequence[str], count: int) -> list[str]:
    rng = np.random.default_rng(2)
    words = np.array(sorted({word for text in learnt for word in text.split()}))
    return [" ".join(rng.choice(words, rng.integers(4, 12))) for _ in range(count)]


def _sketched(sketcher: Sketcher, texts: Sequence[Sequence[str]]) -> Texts:
    flat = [text for each in texts for text in each]
    observed = [
        Observation(START, "t", "p", "r", "m", "served", 1, inputs=flat[at : at + SAMPLE])
        for at in range(0, len(flat), SAMPLE)
    ]
    told = sketcher.features(observed)
    whole = replace(
        told[0],
        digests=np.concatenate([each.digests for each in told]),
        cells=np.concatenate([each.cells for each in told]),
        surprises=np.concatenate([each.surprises for each in told]),
    )
    intents = np.repeat(np.arange(len(texts)), [len(each) for each in texts])
    return Texts(whole, intents)


@dataclass
class Caller:
    """A key: where it is, and what it asks when."""

    name: str
    network: int
    client: int
    features: Features
    times: npt.NDArray[np.float64]
    asked: int = 0
    counters: Counters = field(default_factory=lambda: np.zeros(0, np.float32))
    queries: int = 0


def benign(corpus: Corpus, part: str, number: int, rng: np.random.Generator) -> Caller:
    """A person, a team, a developer or an application, in a life of 5 to 200 queries."""
    texts, intents = corpus.parts[part], len(corpus.domains)
    kind = rng.choice(4, p=[0.5, 0.25, 0.15, 0.1])
    if kind == 3:
        chosen, shares = rng.permutation(intents), 1 / (1 + np.arange(intents))
    else:
        low, high, even = ((1, 4, 0.3), (3, 7, 0.3), (2, 6, 1.0))[kind]
        of = corpus.domains if kind < 2 else np.arange(intents)
        some = rng.choice(of.max() + 1, rng.integers(low, high), replace=False)
        chosen = np.flatnonzero(np.isin(of, some))
        shares = rng.dirichlet(np.full(len(chosen), even))
    count = int(np.exp(rng.uniform(np.log(5), np.log(200))))
    asked = rng.choice(chosen, count, p=shares / shares.sum())
    each = len(texts.intents) // intents
    # Of an intent's texts some are popular.
    places = asked * each + (each * rng.random(count) ** 2).astype(np.intp)
    days = START + 86_400 * rng.integers(0, 4, count) + rng.normal(13, 3, count).clip(0, 23) * 3600
    # A tenth is behind one address, a fifth in offices of eight; clients are of forty looks.
    network = (
        SHARED if number % 10 == 0 else 100 + number // 40 if number % 5 == 1 else 10_000 + number
    )
    looks = min(int(rng.zipf(1.5)), 40)
    return Caller(f"b{number}", network, looks, texts.some(places), np.sort(days))


def campaign(
    corpus: Corpus, part: str, keys: int, block: str, alike: bool, rng: np.random.Generator
) -> list[Caller]:
    """QUERIES texts, each asked once, dealt out to keys, each of which asks in one session."""
    texts = corpus.parts[part]
    dealt = np.array_split(rng.permutation(len(texts.intents))[:QUERIES], keys)
    found = []
    for number, places in enumerate(dealt):
        session = START + 86_400 * rng.integers(0, 4) + rng.normal(13, 3) * 3600
        times = session + 20.0 * np.arange(len(places))
        network = {"many": 50_000 + number, "one": 2, "that of others": SHARED}[block]
        looks = 3 if alike else min(int(rng.zipf(1.5)), 40)
        found.append(Caller(f"a{number}", network, looks, texts.some(places), times))
    return found


def taken(features: Features, places: Places) -> Features:
    return replace(
        features,
        digests=features.digests[places],
        cells=features.cells[places],
        surprises=features.surprises[places],
    )


def observation(caller: Caller, time: float) -> Observation:
    network, client = (
        f"{(each * 0x9E3779B97F4A7C15) % 2**64:016x}"
        for each in (caller.network, caller.client + 7_000_000)
    )
    return Observation(
        time, "t", caller.name, "r", "m", "served", 1, network=network, client=client
    )


def knowledge(corpus: Corpus, threshold: float, lives: int, rng: np.random.Generator) -> Knowledge:
    """How much evidence benign keys of another part have at each checkpoint."""
    names = [each.name for each in corpus.layout.detectors]
    told: dict[str, list[list[float]]] = {name: [[] for _ in CHECKPOINTS] for name in names}
    for number in range(lives):
        caller = benign(corpus, "set", number, rng)
        _, firsts = np.unique(caller.features.digests, return_index=True)
        firsts = np.sort(firsts)
        for at, queries in enumerate(CHECKPOINTS):
            if len(firsts) >= queries:
                counters = np.zeros(corpus.layout.size, np.float32)
                corpus.layout.count(counters, taken(caller.features, firsts[:queries]), 1.0)
                for name, nats in corpus.layout.evidence(counters).items():
                    told[name][at].append(nats)
    return Knowledge(corpus.layout, corpus.base, threshold, {"user": usual(told)})
