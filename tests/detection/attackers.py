"""Those who copy a model: whole campaigns of them, each another seed.

Rule: they keep the hours of a person, so that nothing but what they ask gives them away; none knows
the reference or the key.  Knockoff: Orekondy, Schiele and Fritz, CVPR 2019.  Jacobian probing:
Papernot et al., AsiaCCS 2017, as near-duplicates of few seeds.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from tests.detection.populations import DAY, START, Life, person, sessions
from tests.detection.texts import Corpus, Rows

Attack = Callable[[Corpus, int, np.random.Generator], Life]
"""Of so many queries."""

_SEEDS: Final = 5
_STEPS: Final = 25
"""Of a walk."""
_LETTERS: Final = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def knockoff(corpus: Corpus, queries: int, rng: np.random.Generator) -> Life:
    """Natural texts of another domain."""
    return _timed(_elsewhere(corpus, queries, rng), rng)


def salad(corpus: Corpus, queries: int, rng: np.random.Generator) -> Life:
    """Random words of the right vocabulary."""
    texts = [" ".join(rng.choice(corpus.words, rng.integers(4, 12))) for _ in range(queries)]
    return _timed(corpus.pool.rows(texts), rng)


def jacobian(corpus: Corpus, queries: int, rng: np.random.Generator) -> Life:
    """Small edits of few texts, and edits of these."""
    seeds = rng.choice(corpus.whole("tried"), _SEEDS, replace=False)
    known = [corpus.pool.texts[row] for row in seeds]
    while len(known) < queries:
        known.append(_edited(known[rng.integers(len(known))], corpus.words, rng))
    return _timed(corpus.pool.rows(known), rng)


def mixed(share: float) -> Attack:
    """Natural texts of another domain, hidden among a person's own: such a share of all."""

    def attack(corpus: Corpus, queries: int, rng: np.random.Generator) -> Life:
        own = _own(corpus, queries, rng)
        return _timed(_either(own, _elsewhere(corpus, queries, rng), share, rng), rng)

    return attack


def uniform(corpus: Corpus, queries: int, rng: np.random.Generator) -> Life:
    """Texts of the very domain, evenly over all intents: what a thief with good data asks."""
    return _timed(_evenly(corpus, queries, rng), rng)


def hidden_uniform(corpus: Corpus, queries: int, rng: np.random.Generator) -> Life:
    """The same, every second query, among a person's own."""
    own = _own(corpus, queries, rng)
    return _timed(_either(own, _evenly(corpus, queries, rng), 0.5, rng), rng)


def unsure(corpus: Corpus, queries: int, rng: np.random.Generator) -> Life:
    """Of the texts of the very domains those of which the model is least sure, as active learning
    chooses them (Tong and Koller, JMLR 2001): of ten, one.
    """
    some = rng.permutation(corpus.whole("tried"))[: 10 * queries]
    margins = corpus.victim.margins([corpus.pool.texts[row] for row in some.tolist()])
    least = some[np.argsort(margins)[:queries]]
    return _timed(rng.permutation(least), rng)


def walk(corpus: Corpus, queries: int, rng: np.random.Generator) -> Life:
    """From a text towards another, word by word, to where the model is least sure (after Chen,
    Jordan and Wainwright, "HopSkipJumpAttack", IEEE S&P 2020); then from the next.
    """
    asked: list[str] = []
    while len(asked) < queries:
        one, other = (
            corpus.pool.texts[row].split() for row in rng.choice(corpus.whole("tried"), 2)
        )
        least = 1.0
        for _ in range(_STEPS):
            tried = _swapped(one, other, rng)
            asked.append(" ".join(tried))
            margin = float(corpus.victim.margins(asked[-1:])[0])
            if margin <= least:
                one, least = tried, margin
    return _timed(corpus.pool.rows(asked[:queries]), rng)


def slowly(attack: Attack) -> Attack:
    """A query an hour."""

    def slow(corpus: Corpus, queries: int, rng: np.random.Generator) -> Life:
        hours = START + DAY / 24 * (np.arange(queries) + rng.random(queries))
        return Life(attack(corpus, queries, rng).rows, np.sort(hours))

    return slow


ATTACKS: Final[dict[str, Attack]] = {
    "knockoff, other domain": knockoff,
    "word salad": salad,
    "Jacobian probing": jacobian,
    "knockoff, half mixed": mixed(0.5),
    "knockoff, quarter mixed": mixed(0.25),
    "in-distribution, uniform": uniform,
    "in-distribution, half mixed": hidden_uniform,
    "in-distribution, least sure": unsure,
    "walks to the boundary": walk,
    "knockoff, a query an hour": slowly(knockoff),
    "uniform, a query an hour": slowly(uniform),
}


def _timed(rows: Rows, rng: np.random.Generator) -> Life:
    return Life(rows, sessions(len(rows), rng))


def _elsewhere(corpus: Corpus, queries: int, rng: np.random.Generator) -> Rows:
    return rng.choice(corpus.elsewhere, queries, replace=queries > len(corpus.elsewhere))


def _evenly(corpus: Corpus, queries: int, rng: np.random.Generator) -> Rows:
    return rng.permutation(corpus.whole("tried"))[:queries]


def _own(corpus: Corpus, queries: int, rng: np.random.Generator) -> Rows:
    """What a person asks in a life that goes on for so long."""
    own = person(corpus, "tried", rng).rows
    return np.resize(own, queries)


def _either(own: Rows, other: Rows, share: float, rng: np.random.Generator) -> Rows:
    other = np.resize(other, len(own))
    return np.where(rng.random(len(own)) < share, other, own)


def _swapped(one: list[str], other: list[str], rng: np.random.Generator) -> list[str]:
    """A word of the other put in its place, or at the end."""
    place = int(rng.integers(len(other)))
    return [*one[:place], other[place], *one[place + 1 :]]


def _edited(text: str, words: list[str], rng: np.random.Generator) -> str:
    """One word left out, put in or replaced, or one letter."""
    parts = text.split() or [""]
    place = int(rng.integers(len(parts)))
    match int(rng.integers(4)):
        case 0 if len(parts) > 2:
            del parts[place]
        case 1:
            parts.insert(place, str(rng.choice(words)))
        case 2:
            parts[place] = str(rng.choice(words))
        case _:
            word = parts[place] or "a"
            letter = int(rng.integers(len(word)))
            parts[place] = word[:letter] + str(rng.choice(_LETTERS)) + word[letter + 1 :]
    return " ".join(parts)
