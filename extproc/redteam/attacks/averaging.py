"""Average the noise of a vector away, by asking about one text again and again.

Source: Dwork and Roth, 2014, "The Algorithmic Foundations of Differential Privacy", section 3.1:
noise that is drawn anew for each answer is gone from the mean of many.  Where it is drawn once for
each input, the thief asks in other looks, which mean the same: case, blanks, punctuation,
characters that are not seen, compatible forms.  That has a price: looks move the vector itself, so
that the mean over exact vectors of the variants is off, too (`error.drift`).

Rule: the victim is a public model, so that its exact vectors cost nothing and errors are measured,
not guessed.  An error is the distance of two directions, each a vector of length one, cut to as
many components as are served.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.attacks import cosmetics, embedding_texts
from extproc.redteam.attacks.embedding_regression import whole
from extproc.redteam.oracle import Embedder
from extproc.redteam.public_vectors import PublicModel
from extproc.redteam.scene import Scene
from extproc.redteam.vector_judge import unit

TIMES: Final = 64
"""Repeats of a text, and as many variants."""
_BATCH: Final = 8
"""So that repeats are of one request and of several."""
_NONE: Final = 1e-3
"""Errors below it are rounding."""
_ALIKE: Final = 0.8
"""Cosine of two errors that are one draw; two draws have about none."""


@dataclass(frozen=True, slots=True)
class Told:
    """Of one text: exact vectors [D] and of its variants [N, D], and what was served [N, E]."""

    exact: Floats
    exact_variants: Floats
    repeats: Floats
    variants: Floats

    @property
    def single(self) -> float:
        """The error of one answer, on average."""
        return float(np.mean(distance(self.repeats, self.exact)))

    @property
    def drift(self) -> float:
        return float(distance(self.exact_variants.mean(axis=0), self.exact))

    def mean(self, answers: Floats) -> float:
        return float(distance(unit(answers).mean(axis=0), self.exact))

    @property
    def draws(self) -> int:
        """How many different errors the variants' answers have."""
        return different_errors(self.variants, self.exact_variants)


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    oracle, victim = scene.embedder(), scene.embedding
    public = PublicModel(scene.public, victim.adapter)
    count = scene.budgets[-1] // (2 * TIMES)
    found = []
    for text in embedding_texts.draw(victim.task, count, scene.rng):
        looks = cosmetics.variants(text, TIMES, scene.rng)
        told = await _told(oracle, public, text, looks)
        if told is not None:
            found.append(told)
    for finding in _findings(found):
        yield finding


async def _told(
    oracle: Embedder, public: PublicModel, text: str, looks: Sequence[str]
) -> Told | None:
    """None where nothing was served."""
    exact = await public.learn([text, *looks])
    repeats, variants = [
        (await oracle.ask(texts, batch=_BATCH)).values for texts in ([text] * TIMES, looks)
    ]
    again, varied = whole(repeats), whole(variants)
    if not again.any() or not varied.any():
        return None
    width = min(repeats.shape[1], variants.shape[1])
    cut = unit(exact[:, :width])
    return Told(cut[0], cut[1:][varied], repeats[again, :width], variants[varied, :width])


def _findings(found: Sequence[Told]) -> Iterator[Finding]:
    """Means over texts."""
    if not found:
        return

    def mean(of: Callable[[Told], float]) -> float:
        return float(np.mean([of(told) for told in found]))

    yield Finding("distinct.repeats", mean(lambda told: distinct(told.repeats)))
    yield Finding("distinct.variants", mean(lambda told: distinct(told.variants)))
    yield Finding("distinct.errors", mean(lambda told: told.draws))
    yield Finding("error.drift", mean(lambda told: told.drift))
    single = mean(lambda told: told.single)
    yield Finding("error.single", single)
    for strategy, error in (
        ("repeats", mean(lambda told: told.mean(told.repeats))),
        ("variants", mean(lambda told: told.mean(told.variants))),
    ):
        yield Finding("error.mean", error, strategy=strategy)
        if single > _NONE:
            yield Finding("error.ratio", error / single, strategy=strategy)


def distance(vectors: Floats, exact: Floats) -> Floats:
    """Of directions: from 0 to 2, for vectors [N, D] or one [D]."""
    off: Floats = np.linalg.norm(unit(np.atleast_2d(vectors)) - exact, axis=1)
    return off if vectors.ndim > 1 else off[0]


def distinct(answers: Floats) -> int:
    """Different rows, but for rounding."""
    return len(np.unique(np.round(answers, 6), axis=0))


def different_errors(answers: Floats, exact: Floats) -> int:
    """Draws behind answers [N, D]: errors, without what only made the vector longer or shorter,
    that point different ways; 0 where there are none.
    """
    served = unit(answers)
    errors = served - np.sum(served * exact, axis=1, keepdims=True) * exact
    sizes = np.linalg.norm(errors, axis=1)
    left = unit(errors[sizes > _NONE])
    count = 0
    while len(left):
        left = left[left @ left[0] < _ALIKE]
        count += 1
    return count


ATTACK: Final = Attack(
    name="averaging",
    paper="Dwork and Roth 2014, section 3.1: the mean of fresh noise",
    family=Family.VECTORS,
    needs=(Needs.VECTORS, Needs.BASE_MODEL, Needs.TASK_DATA),
    kind=Kind.EMBEDDING,
    run=_run,
    victims=("minilm",),
    budgets=(1_024,),
    measures=(
        Measure("distinct.repeats", "different answers to 64 repeats of a text"),
        Measure("distinct.variants", "different answers to 64 variants of a text"),
        Measure("distinct.errors", "different errors in answers to 64 variants of a text"),
        Measure("error.drift", "distance of the mean of variants' exact vectors from the text's"),
        Measure("error.single", "distance of an answer from the exact vector", worse="low"),
        Measure("error.mean", "distance of the mean of 64 answers", worse="low"),
        Measure("error.ratio", "error of the mean of 64 answers by that of one", worse="low"),
    ),
    policies=("standard", "coarse", "noisy"),
)
