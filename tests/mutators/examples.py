"""Examples of a mutator, as docs/mutators.md shows them: python -m tests.mutators.examples KIND.

Nothing here is made up: each line is what the code gives for the line above it.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np

from extproc.mutators import Mutator, Private, Similarity, limit, mutate, space_id
from extproc.mutators.capacity import whole
from extproc.prediction import (
    Counts,
    Embedding,
    Kind,
    Logprobs,
    Prediction,
    Probabilities,
    Score,
    Token,
    Vector,
    Votes,
)
from extproc.privacy import LARGEST, NANO, epsilon_of
from tests.mutators.vectors import CONTROL, MARKED, gaussian, source

CLASSES: Final = Probabilities(np.array([0.0213, 0.6172, 0.0054, 0.2711, 0.0850]))
CLOSE: Final = Probabilities(np.array([0.0213, 0.4452, 0.0054, 0.4431, 0.0850]))
TOKEN: Final = Logprobs(
    Token(" Paris", -0.0871), (Token(" Paris", -0.0871), Token(" Lyon", -3.214), Token("\n", -9.75))
)
VOTES: Final = Votes(np.array([12, 171, 3, 58, 6]))
VECTOR: Final = Embedding(gaussian(1, 8))

Example = tuple[Kind, str, Prediction]
EXAMPLES: Final[Mapping[str, Sequence[Example]]] = {
    "top_k": [
        ("probabilities", "{kind: top_k, k: 2}", CLASSES),
        ("probabilities", "{kind: top_k, k: 2, other: true}", CLASSES),
        ("logprobs", "{kind: top_k, k: 1}", TOKEN),
    ],
    "round": [
        ("probabilities", "{kind: round, digits: 2}", CLASSES),
        ("score", "{kind: round, digits: 1}", Score(3.14159)),
        ("logprobs", "{kind: round, digits: 2}", TOKEN),
    ],
    "bins": [("probabilities", "{kind: bins, count: 3}", CLASSES)],
    "codebook": [
        ("probabilities", "{kind: codebook, bits: 16}", CLASSES),
        ("probabilities", "{kind: codebook, bits: 8}", CLASSES),
    ],
    "label_only": [("probabilities", "{kind: label_only}", CLASSES)],
    "smooth": [("probabilities", "{kind: smooth, margin: 0.1}", CLOSE)],
    "mark": [("probabilities", "{kind: mark, rate: 0.005}", CLASSES)],
    "steps": [
        ("score", "{kind: steps, least: 0, step: 0.1, values: 11}", Score(0.73519)),
        ("score", "{kind: steps, least: 0, step: 0.1, values: 11}", Score(17.2)),
    ],
    "floor": [("logprobs", "{kind: floor, steps: 100}", TOKEN)],
    "truncate": [("embedding", "{kind: truncate, dimensions: 4}", VECTOR)],
    "quantize": [
        ("embedding", "{kind: quantize, bits: 8}", VECTOR),
        ("embedding", "{kind: quantize, bits: 1}", VECTOR),
    ],
    "rotate": [("embedding", "{kind: rotate}", VECTOR)],
    "mark_positions": [("embedding", "{kind: mark_positions, strength: 0.1}", VECTOR)],
    "dither": [
        ("embedding", "{kind: dither, step: 0.1}", VECTOR),
        ("score", "{kind: dither, step: 0.5}", Score(3.14159)),
    ],
    "noise": [("embedding", "{kind: noise, norm: 0.3}", VECTOR)],
    "hash": [("embedding", "{kind: hash, bits: 6}", VECTOR)],
    "noisy_max": [
        ("votes", "{kind: noisy_max, noise: gaussian, scale: 40}", VOTES),
        (
            "votes",
            "{kind: noisy_max, noise: gumbel, scale: 40, threshold: {votes: 200, sigma: 50}}",
            VOTES,
        ),
    ],
    "randomized_response": [
        ("probabilities", "{kind: randomized_response, epsilon: 2}", CLASSES),
    ],
    "discrete_laplace": [
        (
            "score",
            "{kind: discrete_laplace, epsilon: 4, low: 0, high: 1, step: 0.01}",
            Score(0.7352),
        ),
    ],
    "gaussian": [("embedding", "{kind: gaussian, clip: 1, sigma: 2, step: 0.01}", VECTOR)],
    "drop": [("embedding", "{kind: drop}", VECTOR)],
}
TENANTS: Final = {"acme": MARKED, "beta": CONTROL}
"""And what the cell of the input is to each."""


def main() -> None:
    name = sys.argv[1]
    print("\n".join(similarity() if name == "similarity" else lines(name)))


def lines(name: str) -> list[str]:
    """Policy, before, after and bits of each example; a keyed mutator's answers to two tenants."""
    return [line for example in EXAMPLES[name] for line in [*_example(*example), ""]][:-1]


def _example(kind: Kind, policy: str, before: Prediction) -> list[str]:
    mutator = read(policy)
    shown = [f"{kind}: [{policy}]", f"  before  {_written(before)}"]
    drawn = {who: replace(source(tenant=who), cell=cell) for who, cell in TENANTS.items()}
    after = {who: _written(mutate([mutator], drawn[who], before)) for who in TENANTS}
    if len(set(after.values())) == 1:
        shown.append(f"  after   {after['acme']}")
    else:
        shown += [f"  {who:7} {served}" for who, served in after.items()]
    if policy == "{kind: rotate}":
        shown += [f"  space   {space_id(source(tenant=who).space)} ({who})" for who in TENANTS]
    size = _size(before)
    bits = [limit(chain, kind, size).bits for chain in ([], [mutator])]
    shown.append(f"  at most {bits[1]:.1f} bits an answer, of {bits[0]:.0f}")
    return [*shown, *_cost(mutator)] if isinstance(mutator, Private) else shown


def _cost(mutator: Private) -> list[str]:
    """What it amounts to; beyond the largest epsilon that is worth a promise, nothing."""
    cost = mutator.cost()
    pure = "" if cost.epsilon is None else f", epsilon {cost.epsilon / NANO:.6g}"
    lines = [f"  costs {cost.gdp / NANO:.4g} of mu squared{pure}"]
    for count in (1, 10, 1000):
        spent = epsilon_of(cost.times(count), 1e-6)
        if spent <= LARGEST:
            lines.append(f"  {count:>5,} of them: epsilon {spent:.3g} at delta 1e-6")
    return lines


def similarity() -> list[str]:
    vectors = [gaussian(1, 8), gaussian(2, 8), gaussian(1, 8) * 0.8 + gaussian(3, 8) * 0.6]
    mutator, before = Similarity(digits=2), whole("embedding", 8)
    rows = mutator.apply_all([Embedding(values) for values in vectors])
    bits = (len(vectors) * before.bits, mutator.bits(before, len(vectors)))
    return [
        "embedding: [{kind: similarity, digits: 2}]",
        *(f"  before  {_numbers(values)}" for values in vectors),
        *(f"  after   {_numbers(row.values)}" for row in rows),
        f"  at most {bits[1]:.1f} bits an answer, of {bits[0]:.0f}",
    ]


def read(policy: str) -> Mutator:
    """A mutator, as the policy file writes it."""
    mutator: Mutator = msgspec.yaml.decode(policy, type=Mutator)
    return mutator


def _written(prediction: Prediction | None) -> str:
    match prediction:
        case Probabilities(values, float(other)):
            return f"{_numbers(values)} other {other:.4g}"
        case Probabilities(values) | Votes(values) | Embedding(values):
            return _numbers(values)
        case Score(value):
            return f"{value:.6g}"
        case Logprobs(chosen, others):
            return "  ".join(f"{token.text!r} {token.logprob:.6g}" for token in (chosen, *others))
        case None:
            return "(nothing)"


def _numbers(values: Vector | Counts) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in values.tolist()) + "]"


def _size(prediction: Prediction) -> int:
    match prediction:
        case Probabilities(values) | Votes(values) | Embedding(values):
            return values.size
        case Logprobs(_, alternatives):
            return len(alternatives)
        case Score():
            return 1


if __name__ == "__main__":
    main()
