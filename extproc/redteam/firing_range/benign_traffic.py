"""What callers who mean well have asked before the range stands: what detection is calibrated by.

Rule: their inputs are no customer's of the range: images that the victims were trained on, mixed
and shifted as the attacker's are, and sentences that the judge does not have, among them the
attacker's own, which makes these look usual if anything.  Each part of the calibration has images
and sentences of its own.  They ask at the pace of the range, an input every few milliseconds, as
attackers do there: neither is told from the other by when it asks.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from extproc.redteam.victims import digits, minilm
from extproc.redteam.victims.expansion import expanded

IMAGES, TEXTS = "images", "texts"
"""Traffic classes; any other one is of callers of both kinds."""
PARTS: Final = (2, 1, 1)
"""Half of it tells what is asked, a quarter how much evidence callers come to, another tries it."""
SHARE, QUICK_SHARE = 30_000, 4_000
"""Lines of a quarter, of each class; in a quick run.  The fewer callers there are, the higher are
the thresholds."""
PACE: Final = 0.003
"""Seconds between two of them."""
_LENGTHS: Final = (20, 300)
"""Inputs of a caller, log-uniform."""
_BATCH, _BATCHES = 1_300, 0.03
"""Images of a nightly job, and how many of those who ask about images are one."""
_TOPICS: Final = 5
"""Documents that a caller asks about at most."""
_ASIDE: Final = 0.15
"""How much of what it asks is of any."""
_MIXTURES: Final = 8_000


@dataclass(frozen=True, slots=True)
class _Kind:
    """Of callers."""

    draw: Callable[[np.random.Generator], Iterator[Any]]
    """The inputs of one of them, without end."""
    batches: float = 0.0
    """How many are nightly jobs."""

    def length(self, rng: np.random.Generator) -> int:
        if rng.random() < self.batches:
            return _BATCH
        return int(np.exp(rng.uniform(*np.log(_LENGTHS))))


def write(path: Path, classes: Sequence[str], seed: int, share: int, now: float) -> None:
    """A line of ``extproc calibrate`` for each input, by time, up to ``now``."""
    rng = np.random.default_rng(seed)
    lines = [
        {"client": client, "traffic": name, "input": value}
        for part, quarters in enumerate(PARTS)
        for name in classes
        for client, value in _part(f"{name} {part}", _callers(name, part), quarters * share, rng)
    ]
    began = now - len(lines) * PACE
    with path.open("wb") as file:
        for at, line in enumerate(lines):
            file.write(orjson.dumps(line | {"time": began + at * PACE}) + b"\n")


def _part(
    name: str, kinds: Sequence[_Kind], count: int, rng: np.random.Generator
) -> Iterator[tuple[str, Any]]:
    """So many inputs, each with its caller; kinds of callers take turns."""
    at = 0
    while count > 0:
        kind = kinds[at % len(kinds)]
        for value in islice(kind.draw(rng), min(count, kind.length(rng))):
            yield f"{name} {at}", value
            count -= 1
        at += 1


def _callers(name: str, part: int) -> Sequence[_Kind]:
    makers = {IMAGES: (_of_images,), TEXTS: (_of_texts,)}
    return [make(part) for make in makers.get(name, (_of_images, _of_texts))]


def _of_images(part: int) -> _Kind:
    own = np.array(_of_part(digits.trained(), part))
    pool = expanded(own, _MIXTURES, part, side=digits.SIDE)
    return _Kind(partial(_images, pool), _BATCHES)


def _of_texts(part: int) -> _Kind:
    documents = [found for each in minilm.documents().values() if (found := _of_part(each, part))]
    return _Kind(partial(_texts, documents))


def _of_part(some: Any, part: int) -> Any:
    """Every fourth begins a further quarter, so that parts have none in common."""
    count = sum(PARTS)
    first = sum(PARTS[:part])
    wanted = range(first, first + PARTS[part])
    return [each for at, each in enumerate(some) if at % count in wanted]


def _images(pool: Any, rng: np.random.Generator) -> Iterator[Any]:
    while True:
        yield pool[rng.integers(len(pool))].tolist()


def _texts(documents: Sequence[Sequence[str]], rng: np.random.Generator) -> Iterator[str]:
    """Topics, and what is asked aside, are as frequent as there are texts of them."""
    everything = [text for each in documents for text in each]
    ends = np.cumsum([len(each) for each in documents])
    drawn = rng.integers(len(everything), size=int(rng.integers(1, _TOPICS)))
    topics = [documents[int(place)] for place in np.searchsorted(ends, drawn, side="right")]
    while True:
        aside = rng.random() < _ASIDE
        chosen = everything if aside else topics[int(rng.integers(len(topics)))]
        yield chosen[int(rng.integers(len(chosen)))]
