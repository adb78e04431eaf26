"""Recover a language model's hidden size, and the space of its logits, from tokens it draws.

Paper: Finlayson, Ren, Swayamdipta, 2024, "Logits of API-Protected LLMs Leak Proprietary
Information", COLM, section 3: as many outputs as the hidden state has dimensions span their space.
Without a bias (softmax_bottleneck.py) an API tells log probabilities of the K likeliest tokens, and
of the one that was drawn, which may be any.  So the same contexts are asked again and again, hot,
until as many tokens are known of as many contexts as it takes.  Two ways, of which the second needs
text alone: the log probabilities that are told of draws, and how often a token is drawn.

What makes the first cheap: contexts that differ only in what stands far back have much the same
likely tokens, so that what is drawn of one is known of others too; the best ends of prompts are
those after which no token is very likely; a nucleus keeps draws off the tail; and only contexts are
asked that still lack something, with seeds that drew it in others.  Temperature and nucleus choose,
and do not change what is told.  Where each request gives one draw, as where several choices exclude
log probabilities, it gives up soon: it would take eight times as many.  Where what is told was
rounded, contexts that are alike drown in that, and prompts are taken as they are.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from extproc.redteam.answers import Bools, Floats
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.attacks.chat_aliases import ALIASES, texts
from extproc.redteam.attacks.sampled_tokens import TELLING, Seeds, Table, Told, Way, open_ways, told
from extproc.redteam.attacks.softmax_bottleneck import Reader
from extproc.redteam.oracle import Budget
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import sampled_space
from extproc.redteam.surrogates.sampled_space import NOTHING, Estimate

HELD_OUT: Final = 8
"""Prompts that the verdict is on."""
COUNTED: Final = 60
"""Contexts whose draws are counted."""
COUNTS: Final = 8
"""Requests for each of these."""
_COLUMNS: Final = 80
"""Tokens that are counted: those that are drawn most often."""
_ENDS: Final = 60
"""Ends of prompts that are looked at."""
_WORDS: Final = 3
"""Of an end."""
_BEGINNINGS: Final = 200
"""Words that are put before an end, for contexts of it."""
_CONTEXTS: Final = 80
"""Of these, the most alike; a table of a hidden state that is larger needs more."""
_ROUND: Final = 8
"""Draws of a context before all are looked at again."""
_SIDE: Final = 2
_GROWTH: Final = 2
"""Sides of the part that is to be known whole: the first, and how much more each time."""
_SPARE: Final = 4
"""Further contexts and tokens that are completed beside it."""
_PROBED: Final = 4
"""Beginnings by which an end shows whether the model still knows at it how a prompt began."""
_TAKEN: Final = 3
"""Ends that are tried until one has as many contexts."""
_LOOKED: Final = _ENDS * (1 + _PROBED) + _TAKEN * _BEGINNINGS + _CONTEXTS
"""Requests at most for a look at what there is."""
_NUCLEI: Final = (0.5, 0.6, 0.7, 0.8)
_PATIENCE: Final = 20
"""Rounds of a context after which it is asked with the next nucleus."""
_TRIED: Final = 300
"""Requests after which it gives up where each gives one draw: it would take eight times as many."""
_DIGITS: Final = 9
"""Decimals to which log probabilities of one context are the same."""


@dataclass(frozen=True, slots=True)
class Result:
    estimate: Estimate = NOTHING
    names: Sequence[bytes] = ()
    """Of the columns."""
    side: int = 0
    """Of the largest part that is known whole."""


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    victim = scene.language
    prompts = [victim.prompts[at] for at in scene.rng.permutation(len(victim.prompts))]
    truth, asked = await _truth(scene, prompts[:HELD_OUT]), prompts[HELD_OUT:]
    telling, saying = await open_ways(scene, prompts[0])
    start = scene.budget.left
    reserve = COUNTED * COUNTS
    enough = start >= reserve + _LOOKED
    read = await _told(telling[0], scene, asked, reserve) if telling and enough else Result()
    between = scene.budget.left
    seen = await _counted(saying[0], asked[:COUNTED]) if saying else Result()
    size = read.estimate.hidden or seen.estimate.hidden
    yield Finding("aliases.open", len(telling))
    yield Finding("known.side", read.side)
    yield Finding("hidden_size", size)
    yield Finding("hidden_size.error", abs(size - victim.hidden))
    yield Finding("bottleneck.requests", start - between)
    for measure, result in (("subspace", read), ("counted", seen)):
        rows = _rows(truth, result.names)
        yield Finding(f"{measure}.energy", result.estimate.energy(rows))
        yield Finding(f"{measure}.gain", result.estimate.gain(rows))
    yield Finding("counted.dimensions", seen.estimate.space.size)
    yield Finding("counted.requests", between - scene.budget.left)


async def _truth(scene: Scene, prompts: Sequence[str]) -> list[Told]:
    """Logits of prompts, past the gateway: for the verdict."""
    budget = Budget(scene.budgets[-1])
    return await Reader(scene.public, scene.language, ALIASES[0], budget).whole(prompts, 1, said=1)


def _rows(truth: Sequence[Told], names: Sequence[bytes]) -> Floats:
    """Logits of contexts at some tokens."""
    return np.array([[row[name] for name in names] for row in truth])


async def _told(way: Way, scene: Scene, prompts: Sequence[str], reserve: int) -> Result:
    """From log probabilities of draws; ``reserve`` requests are left."""
    ends = [" ".join(prompt.split()[-_WORDS:]) for prompt in prompts[:_ENDS]]
    looked = await _told_of(way, ends)
    apart = {_mark(row): row for row in looked}.values()
    noise = sampled_space.step(np.array([value for row in apart for value in row.values()]))
    contexts = prompts[:_CONTEXTS] if noise else await _alike(way, scene, prompts, ends, looked)
    looking = Table(np.full((len(contexts), scene.language.vocabulary), np.nan))
    for at, row in enumerate(await _told_of(way, contexts)):
        looking.add(at, row)
    most = way.budget.left - reserve
    seeds = Seeds.none(scene.rng, most, *looking.values.shape)
    side, best, last = _SIDE, 0, way.budget.left - (_TRIED if way.draws == 1 else most)
    while True:
        sure = _is_known(looking.values, noise)
        part = sampled_space.block(sure, side)
        if part is not None:
            best, side = side, side + _GROWTH
            estimate = sampled_space.told(looking.values[np.ix_(*part)], noise)
            if estimate.space.size:
                return Result(estimate, looking.names(part[1]), best)
            continue
        asked = _next(seeds, sure, side, -(-_ROUND // way.draws))
        if not asked or way.budget.left - len(asked) < last:
            return Result(side=best)
        fields = [_hot(*seeds.known[place]) for _, place in asked]
        replies = await way.ask([contexts[at] for at, _ in asked], fields)
        for (at, place), reply in zip(asked, replies, strict=True):
            seeds.drew[place, looking.add(at, told(reply))] += 1


def _next(seeds: Seeds, known: Bools, side: int, each: int) -> list[tuple[int, int]]:
    """Contexts to ask, and the places of the seeds to ask them with: ``each`` for those that lack
    one of the tokens that are known most, of the contexts that lack least.
    """
    columns = np.argsort(-known.sum(axis=0), kind="stable")[: side + _SPARE]
    lacks = (~known[:, columns]).sum(axis=1)
    nearest = np.argsort(lacks, kind="stable")[: side + _SPARE]
    asked = []
    for at in nearest[lacks[nearest] > 0].tolist():
        lacking = columns[~known[at, columns]]
        rounds = int(seeds.tried[at].sum()) // each
        nucleus = _NUCLEI[min(rounds // _PATIENCE, len(_NUCLEI) - 1)]
        for _ in range(each):
            place = seeds.choose(at, lacking, nucleus)
            lacking = lacking[seeds.drew[place, lacking] == 0]
            asked.append((at, place))
    return asked


def _hot(seed: int, nucleus: float) -> dict[str, Any]:
    return {"logprobs": True, "temperature": 2.0, "top_p": nucleus, "seed": seed}


async def _told_of(way: Way, prompts: Sequence[str]) -> list[Told]:
    return [told(reply) for reply in await way.ask(prompts, [{**TELLING, "n": 1}] * len(prompts))]


async def _alike(
    way: Way, scene: Scene, prompts: Sequence[str], ends: Sequence[str], looked: Sequence[Told]
) -> list[str]:
    """Contexts of one end, after which no token is very likely."""
    words = sorted({word for prompt in prompts for word in prompt.split() if word.isalpha()})
    beginnings = [words[at] for at in scene.rng.permutation(len(words))[:_BEGINNINGS]]
    order = sorted(range(len(ends)), key=lambda at: max(looked[at].values(), default=0.0))
    found: list[str] = []
    taken = 0
    for at in order:
        tried = [f"{word} {ends[at]}" for word in beginnings]
        if 2 * len(_different(await _told_of(way, tried[:_PROBED]))) <= _PROBED:
            continue
        rows = await _told_of(way, tried)
        chosen = _different(rows)
        found = [tried[chosen[place]] for place in _most_alike([rows[place] for place in chosen])]
        taken += 1
        if len(found) == _CONTEXTS or taken == _TAKEN:
            break
    return found


def _different(rows: Sequence[Told]) -> list[int]:
    """Places of contexts; beginnings that the model has forgotten by the end are one."""
    return sorted({_mark(row): place for place, row in enumerate(rows)}.values())


def _mark(row: Told) -> tuple[object, ...]:
    likeliest = sorted(row.items(), key=lambda pair: -pair[1])[:8]
    return tuple((name, round(value, _DIGITS)) for name, value in likeliest)


def _most_alike(rows: Sequence[Told]) -> list[int]:
    """Those whose likely tokens are likely in most of the others."""
    times = Counter(name for row in rows for name in row)
    shared = np.array([sum(times[name] for name in row) for row in rows])
    return sorted(np.argsort(-shared, kind="stable")[:_CONTEXTS].tolist())


def _is_known(values: Floats, noise: float) -> Bools:
    """Which values are told; where they are rounded, the lowest is what is not told."""
    told_of = ~np.isnan(values)
    return told_of & (values > np.nanmin(values)) if noise else told_of


async def _counted(way: Way, prompts: Sequence[str]) -> Result:
    """From how often tokens are drawn, in two halves."""
    halves = [await _draws(way, prompts) for _ in range(2)]
    names = sorted(set().union(*(row for half in halves for row in half)))
    counts = np.array([[[row.get(name, 0) for name in names] for row in half] for half in halves])
    often = np.argsort(-counts.sum(axis=(0, 1)), kind="stable")[:_COLUMNS]
    first, second = counts[:, :, often].astype(np.float64)
    return Result(sampled_space.counted(first, second), [names[at] for at in often])


async def _draws(way: Way, prompts: Sequence[str]) -> list[dict[bytes, int]]:
    """Of each context, how often each token was drawn in half of the requests."""
    replies = await way.ask([prompt for prompt in prompts for _ in range(COUNTS // 2)])
    counts: list[dict[bytes, int]] = [{} for _ in prompts]
    for at, reply in enumerate(replies):
        row = counts[at // (COUNTS // 2)]
        for text in texts(reply):
            # The end of a text is no token, and a part of a character has no spelling.
            if text and "\ufffd" not in text:
                row[text.encode()] = row.get(text.encode(), 0) + 1
    return counts


ATTACK: Final = Attack(
    name="softmax-sampling",
    paper="Finlayson et al., COLM 2024; without a bias",
    family=Family.LANGUAGE,
    needs=(Needs.NOTHING,),
    kind=Kind.LANGUAGE,
    run=_run,
    victims=("tiny-lm",),
    budgets=(6_500,),
    measures=(
        Measure("aliases.open", "ways in that tell log probabilities of drawn tokens"),
        Measure("known.side", "tokens whose log probabilities are known of as many contexts"),
        Measure("hidden_size", "dimensions of the last hidden state, 0 where it is not found"),
        Measure("hidden_size.error", "how far that is from the truth", worse="low"),
        Measure("bottleneck.requests", "requests for log probabilities", worse="low"),
        Measure("subspace.energy", "share of unseen logits that lie in the space told of"),
        Measure("subspace.gain", "share of what frequencies and chance leave that this is"),
        Measure("counted.energy", "share of unseen logits in the space that counts of text show"),
        Measure("counted.gain", "share of what frequencies and chance leave that this is"),
        Measure("counted.dimensions", "dimensions that stand out of the noise of counts"),
        Measure("counted.requests", "requests for text", worse="low"),
    ),
    policies=("standard", "coarse"),
)
