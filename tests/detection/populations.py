"""Benign callers: whole lives of them, each another seed.

Rule: a life is as long as chance has it, from 20 to 1,000 queries, log-uniformly; it is watched to
its end.  Four kinds are what thresholds are made of and tried on; the others are odd, and honest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.features import Outcome
from tests.detection.languages import LEARNT, UNKNOWN
from tests.detection.texts import Corpus, Part, Rows

SHORTEST: Final = 20
LONGEST: Final = 1000
MINUTE: Final = 60.0
DAY: Final = 86_400.0
START: Final = 1_760_000_000.0


@dataclass(frozen=True)
class Life:
    """What one caller asks; arrays of shape (exchanges,)."""

    rows: Rows
    """Of the pool."""
    times: npt.NDArray[np.float64]
    """In seconds since 1970, rising."""
    outcomes: tuple[Outcome, ...] = ()
    """Served, where it says nothing."""


Kind = Callable[[Corpus, Part, np.random.Generator], Life]


def length(rng: np.random.Generator) -> int:
    return int(np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST))))


def person(corpus: Corpus, part: Part, rng: np.random.Generator) -> Life:
    """One to three domains, few intents of them most of the time; sessions over weeks."""
    rows = _asked(corpus, part, rng, _of_domains(corpus, rng, 1, 4), 0.3)
    return Life(rows, sessions(len(rows), rng))


def team(corpus: Corpus, part: Part, rng: np.random.Generator) -> Life:
    """Three to six domains; during office hours."""
    rows = _asked(corpus, part, rng, _of_domains(corpus, rng, 3, 7), 0.3)
    return Life(rows, office_hours(len(rows), rng))


def developer(corpus: Corpus, part: Part, rng: np.random.Generator) -> Life:
    """Two to five intents of any domain, over and over."""
    chosen = rng.choice(len(corpus.domains), rng.integers(2, 6), replace=False)
    rows = _asked(corpus, part, rng, chosen, 1.0)
    return Life(rows, sessions(len(rows), rng))


def application(corpus: Corpus, part: Part, rng: np.random.Generator) -> Life:
    """All intents, by Zipf's law, in an order of its own; day and night, more by day."""
    intents = rng.permutation(len(corpus.domains))
    weights = 1 / (1 + np.arange(len(intents)))
    rows = _drawn(corpus, part, rng, intents, weights / weights.sum(), length(rng))
    return Life(rows, START + np.cumsum(rng.exponential(2 * MINUTE, len(rows))))


def batch(corpus: Corpus, part: Part, rng: np.random.Generator) -> Life:
    """What a table of three to six domains holds, each row once, at night, as fast as it goes."""
    intents = _of_domains(corpus, rng, 3, 7)
    rows = rng.permutation(np.concatenate([corpus.parts[part][each] for each in intents]))
    rows = rows[: length(rng)]
    nights = DAY * (np.arange(len(rows)) // 250)
    return Life(rows, START + nights + np.cumsum(rng.normal(0.2, 0.01, len(rows)).clip(0.05)))


def probe(corpus: Corpus, part: Part, rng: np.random.Generator) -> Life:
    """A monitor that asks the same once a minute, for a day."""
    row = rng.choice(corpus.whole(part))
    minutes = np.arange(1440) * MINUTE + rng.normal(0, 0.02, 1440)
    return Life(np.full(1440, row), START + np.sort(minutes))


def evaluation(corpus: Corpus, part: Part, rng: np.random.Generator) -> Life:
    """A test set, uniform over classes, twice: before and after a change."""
    each = int(rng.integers(1, 7))
    rows = np.concatenate([rng.permutation(of)[:each] for of in corpus.parts[part]])
    rows = rng.permutation(rows)[:LONGEST]
    times = [START + run * DAY + np.cumsum(rng.exponential(0.3, len(rows))) for run in (0, 1)]
    return Life(np.tile(rows, 2), np.concatenate(times))


def storm(corpus: Corpus, part: Part, rng: np.random.Generator) -> Life:
    """A person whose client asks again and again while the model server is down, twice."""
    calm = person(corpus, part, rng)
    rows, times, outcomes = [calm.rows], [calm.times], [*["served"] * len(calm.rows)]
    for at in rng.choice(len(calm.rows), 2, replace=False):
        again = int(rng.integers(20, 200))
        rows.append(np.full(again, calm.rows[at]))
        times.append(calm.times[at] + 0.5 + np.cumsum(rng.exponential(1.0, again)))
        outcomes += ["failed"] * again
    order = np.argsort(np.concatenate(times), kind="stable")
    told: tuple[Outcome, ...] = tuple(
        "failed" if outcomes[place] == "failed" else "served" for place in order
    )
    return Life(np.concatenate(rows)[order], np.concatenate(times)[order], told)


def multilingual(corpus: Corpus, part: Part, rng: np.random.Generator) -> Life:
    """A person of another language, or of two, that the reference has some queries of."""
    spoken = rng.choice(LEARNT, rng.integers(1, 3), replace=False)
    return _abroad(corpus, person(corpus, part, rng), spoken, rng)


def foreigner(corpus: Corpus, part: Part, rng: np.random.Generator) -> Life:
    """A person of a language that the reference has nothing of."""
    return _abroad(corpus, person(corpus, part, rng), np.array([UNKNOWN]), rng)


FOUR: Final[dict[str, tuple[Kind, str]]] = {
    "a person": (person, "user"),
    "a team": (team, "user"),
    "a developer": (developer, "user"),
    "an application": (application, "application"),
}
"""Each with its traffic class."""
ODD: Final[dict[str, Kind]] = {
    "batch ETL": batch,
    "a monitoring probe": probe,
    "an evaluation harness": evaluation,
    "retry storms after an outage": storm,
    "multilingual": multilingual,
    "of an unknown language": foreigner,
}


def sessions(queries: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A query every minute or so; after some ten of them a pause of hours or days."""
    gaps = rng.lognormal(np.log(MINUTE), 1.0, queries)
    pauses = rng.lognormal(np.log(DAY / 4), 1.0, queries)
    return START + np.cumsum(np.where(rng.random(queries) < 0.1, pauses, gaps))


def office_hours(queries: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Eight hours of every day, at random."""
    busy = np.cumsum(rng.exponential(5 * MINUTE, queries))
    return START + busy % (DAY / 3) + busy // (DAY / 3) * DAY


def _abroad(
    corpus: Corpus, life: Life, spoken: npt.NDArray[np.str_], rng: np.random.Generator
) -> Life:
    """The same life, each query in one of these languages."""
    rows = np.stack([corpus.abroad[name][life.rows] for name in spoken.tolist()])
    chosen = rng.integers(len(spoken), size=len(life.rows))
    return Life(rows[chosen, np.arange(len(chosen))], life.times)


def _of_domains(corpus: Corpus, rng: np.random.Generator, low: int, high: int) -> Rows:
    """The intents of some domains."""
    known = np.unique(corpus.domains)
    most = min(high - 1, len(known))
    chosen = rng.choice(known, rng.integers(min(low, most), most + 1), replace=False)
    return np.flatnonzero(np.isin(corpus.domains, chosen))


def _asked(
    corpus: Corpus, part: Part, rng: np.random.Generator, intents: Rows, evenly: float
) -> Rows:
    weights = rng.dirichlet(np.full(len(intents), evenly))
    return _drawn(corpus, part, rng, intents, weights, length(rng))


def _drawn(
    corpus: Corpus,
    part: Part,
    rng: np.random.Generator,
    intents: Rows,
    weights: npt.NDArray[np.float64],
    queries: int,
) -> Rows:
    """Texts of intents by chance, with repeats."""
    chosen = rng.choice(intents, queries, p=weights)
    return corpus.some(part, chosen, rng)
