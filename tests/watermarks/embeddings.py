"""How marks of embeddings are found, what removes them, and what they cost.

The victim is MiniLM behind a secret head, the thief the red team's own regression, with n-grams
alone and with the public model.  docs/ownership.md shows what ``python -m
tests.watermarks.embeddings`` prints; it takes some minutes.
"""

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from extproc.demo.server.models.minilm import MiniLm
from extproc.demo.server.models.minilm_private import PrivateMiniLm
from extproc.draw import Draw
from extproc.marks.spaces import WAYS, Laid, moved, residues
from extproc.mutators import MarkPositions, fingerprint
from extproc.ownership.traces import Looked
from extproc.redteam.answers import Floats, Ints
from extproc.redteam.laundering.maps import LinearCopy, distilled, fine_tuned, pruned
from extproc.redteam.laundering.vectors import Embed, Mapped, Means, cut, rounded, turned
from extproc.redteam.surrogates import ngrams, ridge
from extproc.redteam.vector_judge import aligned_cosine
from extproc.redteam.victims import minilm
from tests.ownership.moving import cells, said, told
from tests.watermarks.removals import eliminated, shortened, taken
from tests.watermarks.served import (
    MARKED,
    STRENGTH,
    Served,
    found,
    found_each,
    key,
    mutators,
    space,
)
from tests.watermarks.world import World, unit

ASKED: Final = 3_000
CLEAN: Final = 1_000
ON: Final = 200
"""Texts that each clean model is tried on."""
LOOKS: Final = 5
"""Keys that each is looked at under."""
COMMITTED: Final = (50, 100, 200, 300, 500, 1000, 2000, 3000)
"""Of the texts that were asked."""
GROUPS: Final = 40
"""Documents, as far as a thief's fine-tuning knows."""
_THOUSANDTH: Final = math.log2(1e-3)
STRATEGIES: Final = ("n-grams", "ridge")
HEADING: Final = f"{'':44}{'cosine':>8}{'asked':>10}{'others':>10}{'beta':>10}{'kept':>8}"


def behind(*mutators: str, strength: float = STRENGTH) -> str:
    """A chain that begins with marks."""
    return f"[{', '.join((f'{{kind: mark_positions, strength: {strength}}}', *mutators))}]"


ROTATED, CUT = "{kind: rotate}", "{kind: truncate, dimensions: 128}"
BITS: Final = {bits: f"{{kind: quantize, bits: {bits}}}" for bits in (1, 4, 8)}
CHAINS: Final = {
    "marked": MARKED,
    "then rotate, quantize 8": behind(ROTATED, BITS[8]),
    "then quantize 4": behind(BITS[4]),
    "then truncate 128, quantize 8": behind(CUT, BITS[8]),
    "then truncate 128, rotate, quantize 8": behind(CUT, ROTATED, BITS[8]),
    "then noise 0.1": behind("{kind: noise, norm: 0.1}"),
    "then dither 0.1": behind("{kind: dither, step: 0.1}"),
    "then hash 256": behind("{kind: hash, bits: 256}"),
    "then rotate, quantize 1": behind(ROTATED, BITS[1]),
    "strength 0.1, rotate, quantize 1": behind(ROTATED, BITS[1], strength=0.1),
    "strength 0.01": behind(strength=0.01),
}


def private() -> World:
    """The demo's own private model."""
    base, victim = MiniLm.load(), minilm.private()
    head = PrivateMiniLm.on(base).head.astype(np.float64)

    def encode(texts: Sequence[str]) -> Floats:
        return base.embed(texts).vectors.astype(np.float64)

    return World(encode, head, victim.task, victim.test, "minilm")


class Measure:
    """Of one world."""

    def __init__(self, world: World, count: int = ASKED) -> None:
        self.world, self.count = world, count
        self.asked, self.others = list(world.texts[:count]), list(world.others)
        self.raw, self.unseen = world.private(self.asked), world.private(self.others)

    def stolen(self, chain: str = MARKED) -> dict[str, LinearCopy]:
        """By strategy, those that every thief has."""
        copies = asyncio.run(self.world.stolen(Served(chain), self.count))
        return {name: taken(self.world, copies[name].embed) for name in STRATEGIES}

    def line(
        self, name: str, copy: Embed, asked: Sequence[str] = (), strength: float = STRENGTH
    ) -> str:
        """How good a copy is, and log2 of p by what was asked, by other texts, and of another."""
        texts = list(asked) or self.asked
        raw, vectors, elsewhere = self.world.private(texts), copy(texts), copy(self.others)
        mine, theirs = found_each(raw, vectors, ("acme", "beta"), strength)
        by_others = found(self.unseen, elsewhere)
        bits = "".join(f"{each:10.0f}" for each in (mine.bits, by_others.bits, theirs.bits))
        good = aligned_cosine(unit(elsewhere), self.unseen)
        return f"{name:44}{good:8.3f}{bits}{mine.kept:8.2f}"

    def chains(self) -> Iterator[str]:
        for name, chain in CHAINS.items():
            [mark, *_] = mutators(chain)
            assert isinstance(mark, MarkPositions)
            for strategy, copy in self.stolen(chain).items():
                yield self.line(f"{name}: {strategy}", copy, strength=mark.strength)

    def removals(self) -> Iterator[str]:
        more = list(self.world.texts[self.count : 2 * self.count])
        groups = np.arange(len(more)) % GROUPS
        for strategy, copy in self.stolen().items():
            means = Means(more, np.random.default_rng(0))
            mixed = np.random.default_rng(1).normal(size=(self.raw.shape[1],) * 2)
            launderers: dict[str, Embed] = {
                "rounded to 8 bits": rounded(copy, means),
                "rotated": turned(copy, means),
                "mapped by a random matrix": Mapped(copy, mixed),
                "cut to half of the axes": cut(copy, means),
                "cut to an eighth of the axes": cut(copy, means, 1 / 8),
                "half of the weights pruned": pruned(copy, 0.5),
                "nine tenths of the weights pruned": pruned(copy, 0.9),
                "fine-tuned": fine_tuned(copy, more, groups, 0.1),
                "fine-tuned hard": fine_tuned(copy, more, groups, 10.0),
                "distilled on what was asked": distilled(copy, self.asked),
                "distilled on other texts": distilled(copy, more),
                "the same, on the public model": self._student(copy, more),
            }
            for name, laundered in launderers.items():
                yield self.line(f"{name}: {strategy}", laundered)

    def _student(self, copy: Embed, texts: list[str]) -> LinearCopy:
        head = ridge.chosen(self.world.public(texts), copy(texts))
        return LinearCopy(self.world.public, head.weights, head.offset)

    def collected(self) -> Iterator[str]:
        """What is done to answers before a copy is made of them."""
        serve, public = Served(), self.world.public(self.asked)
        answers = serve(self.raw, 0, self.asked)
        for components in (10, 50):
            yield from self._fitted(
                f"{components} axes eliminated (CSE)", eliminated(answers, public, components)
            )
        variants = [shortened(self.asked, seed) for seed in range(2)]
        told = [answers, *(serve(self.world.private(each), 0, each) for each in variants)]
        yield from self._fitted("mean of a text and two near variants", unit(np.mean(told, axis=0)))
        theirs = Served(tenant="beta")(self.raw, 0, self.asked)
        yield from self._fitted("mean of two tenants'", unit((answers + theirs) / 2))
        either = np.random.default_rng(0).random(answers.shape) < 0.5
        yield from self._fitted("each component of one of two", np.where(either, answers, theirs))

    def _fitted(self, name: str, answers: Floats) -> Iterator[str]:
        by_grams = ngrams.fit(ngrams.counted(self.asked), answers)
        head = ridge.chosen(self.world.public(self.asked), answers)
        yield self.line(
            f"{name}: n-grams", LinearCopy(ngrams.counted, by_grams.weights, by_grams.offset)
        )
        yield self.line(f"{name}: ridge", LinearCopy(self.world.public, head.weights, head.offset))

    def committed(self) -> Iterator[str]:
        """What `extproc ownership` finds by so many of the texts that were asked."""
        entries, others = (
            told(tenant, self.asked, self.raw, key=key(tenant), strength=STRENGTH)[1]
            for tenant in ("acme", "beta")
        )
        suspects = [copy(self.asked) for copy in self.stolen().values()]
        suspects.append(clean_model(0, self.raw, self.world.public(self.asked)))
        answers = [said(self.asked, vectors) for vectors in suspects]
        for count in COMMITTED:
            mine, theirs = cells(entries[:count]), cells(others[:count])
            bits = [Looked.of(mine, each).bits for each in answers]
            bits.append(min(Looked.of(theirs, each).bits for each in answers))
            yield f"{count:6}" + "".join(f"{each:12.0f}" for each in bits)

    def clean(self, models: int = CLEAN, on: int = ON) -> Iterator[str]:
        """Models that have seen no mark, each looked at under keys of its own."""
        raw, public = self.raw[:on], self.world.public(self.asked[:on])
        seen: dict[Laid, list[float]] = {way: [] for way in WAYS}
        bits = []
        for number in range(models):
            both = residues(raw, clean_model(number, raw, public))
            keys = [Draw(b"clean %d" % number)]
            for way, residue in zip(WAYS, both, strict=True):
                seen[way].append(moved(keys[0], STRENGTH, raw, [residue]).deviations)
            keys += [keys[0].child(b"%d" % again) for again in range(1, LOOKS)]
            bits.append([moved(key, STRENGTH, raw, both).bits for key in keys])
        first, every = np.array(bits)[:, 0], np.array(bits)
        yield f"{models} clean models, a key each: least p-value 2^{first.min():.1f}"
        yield (
            f"{every.size} looks, {LOOKS} keys each: {np.sum(every < _THOUSANDTH)} below 1/1000,"
            f" of {every.size // 1000} allowed; least p-value 2^{every.min():.1f}"
        )
        for way, deviations in seen.items():
            gap = uniform_gap(deviations)
            yield f"{way}: distance from uniform {gap:.2f}, above 1.36 once in 20, 1.95 in 1,000"

    def fingerprints(self) -> Iterator[str]:
        for name, chain in {
            "rotate": f"[{ROTATED}]",
            "rotate, quantize 8": f"[{ROTATED}, {BITS[8]}]",
            "rotate, quantize 1": f"[{ROTATED}, {BITS[1]}]",
            "rotate, truncate 128": f"[{ROTATED}, {CUT}]",
        }.items():
            for strategy, copy in self.stolen(chain).items():
                yield self._fingerprint(f"{name}: {strategy}", copy)
        copy, means = (
            self.stolen(f"[{ROTATED}]")["ridge"],
            Means(self.asked, np.random.default_rng(0)),
        )
        yield self._fingerprint("half of the weights pruned", pruned(copy, 0.5))
        yield self._fingerprint("rotated once more", turned(copy, means))
        yield self._fingerprint("cut to half of its axes", cut(copy, means))

    def _fingerprint(self, name: str, copy: Embed) -> str:
        bits = [
            fingerprint(space(tenant), raw, copy(texts))
            for tenant, raw, texts in (
                ("acme", self.raw, self.asked),
                ("acme", self.unseen, self.others),
                ("beta", self.raw, self.asked),
            )
        ]
        return f"{name:52}" + "".join(f"{each:10.0f}" for each in bits)

    def costs(self, topics: Ints) -> Iterator[str]:
        for strength in (0.01, 0.02, 0.03, 0.05, 0.1):
            served = Served(behind(strength=strength))(self.unseen, 0, self.others)
            cosine = float((served * self.unseen).sum(axis=1).mean())
            both = near(served, 10), near(self.unseen, 10)
            same = np.mean([len({*one} & {*other}) / 10 for one, other in zip(*both, strict=True)])
            right = [np.mean(topics[each[:, 0]] == topics) for each in both]
            yield f"{strength:8}{cosine:12.5f}{same:12.1%}{right[0]:14.1%}{right[1]:10.1%}"


def clean_model(number: int, raw: Floats, public: Floats) -> Floats:
    """One of six sorts: other heads, other layers, other noise, all at random."""
    rng = np.random.default_rng(number)
    width = int(rng.integers(16, 257))
    head = rng.normal(size=(public.shape[1], width))
    match number % 6:
        case 0:
            return unit(public @ head)
        case 1:
            return np.tanh(3 * public @ head)
        case 2:
            return np.maximum(public @ head, 0)
        case 3:
            return raw + rng.normal(size=raw.shape) * rng.uniform(1e-4, 0.1)
        case 4:
            return raw[:, :width].round(int(rng.integers(1, 4)))
        case _:
            return rng.normal(size=(len(raw), width))


def uniform_gap(deviations: Sequence[float]) -> float:
    """Kolmogorov and Smirnov's, of p-values, times the root of how many there are."""
    values = np.sort([math.erfc(each / math.sqrt(2)) / 2 for each in deviations])
    ranks = np.arange(1, len(values) + 1) / len(values)
    above, below = np.abs(values - ranks).max(), np.abs(values - ranks + 1 / len(values)).max()
    return float(max(above, below) * math.sqrt(len(values)))


def near(vectors: Floats, count: int) -> Ints:
    """The nearest others of each [N, count]."""
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    nearest: Ints = np.argsort(-alike, axis=1)[:, :count]
    return nearest


def main() -> None:
    measure = Measure(private())
    topics = minilm.private().topics
    tables: dict[str, Sequence[Callable[[], Iterator[str]]]] = {
        HEADING: [measure.chains, measure.removals, measure.collected],
        "": [measure.clean],
        f"{'':52}{'asked':>10}{'others':>10}{'beta':>10}": [measure.fingerprints],
        f"{'texts':6}{'n-grams':>12}{'ridge':>12}{'clean':>12}{'beta':>12}": [measure.committed],
        "strength      cosine   same ten   right topic    before": [lambda: measure.costs(topics)],
    }
    for heading, makers in tables.items():
        print(heading)
        for make in makers:
            for line in make():
                print(line, flush=True)


if __name__ == "__main__":
    main()
