"""Made-up questions: users' about a few topics each, and those of somebody who knows none of them.

Words are of syllables, the users' of others than the stranger's; a question has a frame, as real
ones do, and words of its topic.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from extproc.detectors.fitting import fit
from extproc.detectors.observation import Observation
from extproc.detectors.reference import Reference

KEY = b"k" * 32
TOPICS = 16
_SYLLABLES = (
    ["ka", "lo", "mi", "ter", "an", "sel", "vo", "ri"],
    ["zhu", "qe", "xo", "byg", "whu", "jid", "kyf", "uxt"],
)
_FRAMES = ("please tell me how the {} of my {} {}", "what is the {} {} for {}", "{} my {} with {}")


def questions(count: int, seed: int, *, stranger: bool = False) -> list[str]:
    return [question for _, question in by_topic(count, seed, stranger=stranger)]


def by_topic(count: int, seed: int, *, stranger: bool = False) -> list[tuple[int, str]]:
    """Different ones, each with the topic it is about."""
    rng = np.random.default_rng(seed)
    topics = _topics(stranger=stranger)
    found: dict[str, int] = {}
    while len(found) < count:
        topic = int(rng.integers(TOPICS))
        frame = _FRAMES[0 if stranger else rng.integers(len(_FRAMES))]
        if stranger:
            frame = "{} {} {} {} {}"
        found[frame.format(*rng.choice(topics[topic], 5))] = topic
    return [(topic, question) for question, topic in found.items()]


@cache
def _topics(*, stranger: bool) -> list[list[str]]:
    rng = np.random.default_rng(stranger)
    syllables = _SYLLABLES[stranger]
    return [["".join(rng.choice(syllables, 3)) for _ in range(40)] for _ in range(TOPICS)]


@cache
def reference(key: bytes = KEY) -> Reference:
    return fit(questions(1400, 1), key, np.random.default_rng(0))


def asked(*inputs: object, digests: Sequence[bytes] = ()) -> Observation:
    return Observation(
        time=1.0,
        tenant="t",
        principal="p",
        route="r",
        model="m",
        outcome="served",
        queries=len(inputs),
        inputs=inputs,
        digests=digests,
    )
