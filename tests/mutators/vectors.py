"""Inputs for the laws: what models say, and what only an adversary or a bug would."""

from itertools import count

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from extproc.canonical import digest
from extproc.draw import Draw, Draws, Source
from extproc.marks.stamps import Stamp, stamp
from extproc.prediction import Embedding, Logprobs, Probabilities, Token, Vector

digits = st.integers(0, 6)
bits = st.integers(1, 16)


def frozen(values: object) -> Vector:
    """An array that nobody can change: every law runs on these, so none can be kept by cheating."""
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array


def _within_one(weights: list[float]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights] if total > 1 else weights


def _softmax(seed: int, classes: int, temperature: float, single: bool) -> Vector:
    logits = np.random.default_rng(seed).standard_normal(classes) * temperature
    exponents = np.exp(logits - logits.max())
    exponents = exponents.astype(np.float32) if single else exponents
    return np.asarray(exponents / exponents.sum(), dtype=np.float64)


def _flat(classes: int, favourite: int, lead: float) -> Vector:
    values = np.full(classes, 1.0 / classes)
    values[favourite % classes] *= 1.0 + lead
    return values / max(1.0, float(values.sum()))


unsorted = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(_within_one)
tied = st.lists(st.sampled_from([0.0, 1.0, 1.0, 2.0, 5.0]), min_size=1, max_size=30).map(
    _within_one
)
halves = st.lists(st.integers(0, 40), min_size=1, max_size=8).map(
    lambda counts: [count / 400 for count in counts]
)
softmaxes = st.builds(
    _softmax, st.integers(0, 2**32), st.integers(1, 3000), st.floats(1e-9, 9), st.booleans()
)
flats = st.builds(
    _flat, st.integers(1, 3000), st.integers(0, 3000), st.sampled_from([0.0, 1e-15, 1e-6, 0.1])
)


def _close_calls(steps: list[tuple[int, int]], places: int) -> list[float]:
    return [(100 * whole + rest) / 10 ** (places + 2) for whole, rest in steps]


close_calls = st.builds(
    _close_calls,
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([0, 0, 1, 3, 5, 10, 20, 45, 90])),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([2, 2, 3]),
)
nothing = st.lists(st.sampled_from([0.0, -0.0, 5e-324, 1e-300]), max_size=4)
probabilities = st.one_of(unsorted, tied, halves, close_calls, softmaxes, flats, nothing).map(
    lambda values: Probabilities(frozen(values))
)

tokens = st.builds(
    Token,
    st.text(max_size=3),
    st.one_of(st.floats(-30, 0), st.sampled_from([0.0, -0.0, -9999.0, 1e-7, 9e-4, -5e-324])),
    st.none() | st.just((226, 130)),
)
logprobs = st.builds(Logprobs, tokens, st.lists(tokens, max_size=8).map(tuple))


def gaussian(seed: int, dimensions: int, length: float = 1.0) -> Vector:
    values = np.random.default_rng(seed).standard_normal(dimensions)
    return frozen(values * (length / np.linalg.norm(values)))


gaussians = st.builds(
    gaussian,
    st.integers(0, 2**32),
    st.integers(1, 2000),
    st.sampled_from([1.0, 0.999, 1.004, 0.37, 12.7, 1e-20]),
)
awkward = hnp.arrays(
    np.float64,
    st.integers(0, 60),
    elements=st.one_of(
        st.floats(-1, 1),
        st.floats(-(2.0**99), 2.0**99, width=32),
        st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-45, 5e-324, -1e-200]),
    ),
).map(frozen)
sparse = st.builds(
    lambda size, at, value: frozen([value if index == at % size else 0.0 for index in range(size)]),
    st.integers(1, 300),
    st.integers(0, 300),
    st.sampled_from([1.0, -1.0, 0.3]),
)
embeddings = st.one_of(gaussians, awkward, sparse).map(Embedding)


def source(question: str = "what?", *, tenant: str = "acme", tier: str = "standard") -> Source:
    """What the answer to a question draws from."""
    space = Draw(b"0123456789abcdef0123456789abcdef").child(tenant.encode())
    return Draws(space, [digest(question)], tier.encode(), marks=space.child(b"marks")).of(0)


def _cell(wanted: Stamp) -> Draw:
    drawn = (Draw(b"%d" % number) for number in count())
    return next(cell for cell in drawn if stamp(cell, 0.001) == wanted)


MARKED, CONTROL = _cell("mark"), _cell("control")
"""Cells of one and the other sort at every rate."""


def distance(sample: Vector, cumulative: Vector) -> float:
    """Kolmogorov and Smirnov's, times the root of the sample's size; above 1.95 once in 1,000.

    ``cumulative`` is the law's distribution function at the sample's values, in their order.
    """
    ordered = np.sort(cumulative)
    ranks = np.arange(1, sample.size + 1) / sample.size
    gap = max(np.abs(ranks - ordered).max(), np.abs(ranks - 1 / sample.size - ordered).max())
    return float(gap * np.sqrt(sample.size))
