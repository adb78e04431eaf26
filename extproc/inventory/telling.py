"""How many bits of each kind an answer to one input may tell.

Rule: what is counted is an upper bound (mutators/capacity.py) of all predictions that the answer
may hold, under sizes that are assumed where no policy says them.  What has no bound there (a tensor
that nobody declared) has none here.  Counts of tokens, durations and names of snapshots are not
counted in bits: they say how and where an answer was made, see survey.py.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from extproc.dialects import Dialect
from extproc.dialects.kinds import (
    UNCOUNTED,
    has_totals,
    is_a_class,
    is_a_token,
    kinds_of,
    outputs_of,
)
from extproc.fidelity import Fidelity
from extproc.inventory.report import Assumed, Told
from extproc.mutators import Hash, Mutator, Rotate, Similarity, limit
from extproc.mutators.capacity import NORM, TOKEN
from extproc.prediction import Kind

Chain = Sequence[Mutator]


def told_of(dialect: Dialect, fidelity: Fidelity, assumed: Assumed, inputs: int) -> Iterator[Told]:
    """The kinds that a dialect can answer, and that pass, of a request of so many inputs at most.

    The number of inputs matters where one is compared with the others, and nowhere else.
    """
    for kind in kinds_of(dialect):
        chain = fidelity.mutators.get(kind)
        if chain is None:
            continue
        predictions = _predictions(dialect, kind, assumed)
        each = _each(kind, chain, _size(kind, assumed), inputs)
        yield Told(
            kind=kind,
            mutators=tuple(map(written, (*chain, *fidelity.writings_on(kind)))),
            number=_number(kind, chain, assumed),
            own_space=any(isinstance(one, Rotate | Hash | Similarity) for one in chain),
            predictions=predictions,
            bits=0.0 if kind in UNCOUNTED else each * predictions,
        )


def _each(kind: Kind, chain: Chain, size: int, inputs: int) -> float:
    """Of one prediction; of an answer that compares, the share of one input."""
    match chain:
        case [*before, Similarity() as last]:
            return last.bits(limit(before, kind, size), inputs) / inputs
        case _:
            return limit(chain, kind, size).bits


def written(mutator: Any) -> str:
    """As the policy writes it: its name and what differs from the defaults."""
    said = msgspec.to_builtins(mutator)
    defaults = {field.name: field.default for field in msgspec.structs.fields(mutator)}
    words = [said.pop("kind")]
    for field, value in said.items():
        if value != defaults[field]:
            words.append(f"{field} {str(value).lower()}")
    return " ".join(words)


def _size(kind: Kind, assumed: Assumed) -> int:
    match kind:
        case "logprobs":
            return assumed.alternatives
        case "embedding":
            return assumed.dimensions
        case "text" | "reasoning":
            return assumed.tokens
        case _:
            return assumed.classes


def _predictions(dialect: Dialect, kind: Kind, assumed: Assumed) -> int:
    if is_a_token(dialect, kind):
        return assumed.tokens + (2 if kind == "logprobs" and has_totals(dialect) else 0)
    return assumed.classes if is_a_class(dialect, kind) else outputs_of(dialect, kind)


def _number(kind: Kind, chain: Chain, assumed: Assumed) -> float:
    """Bits of a prediction that has a single number; not which token it is of, nor how long a
    vector is.
    """
    match kind:
        case "probabilities" | "votes" | "score":
            one = limit(chain, kind, 1)
            return one.bits / 2 if one.other else one.bits  # what is hidden is the second number
        case "logprobs":
            return max(0.0, limit(chain, kind, 0).bits - TOKEN)
        case "embedding":
            return _component(chain, max(1, assumed.dimensions))
        case "tensor":
            return math.inf
        case _:
            return 0.0


def _component(chain: Chain, dimensions: int) -> float:
    """Of a vector; where all of it keeps no more than a bit for each, its share of that."""
    match chain:
        case [*before, Similarity() as last]:
            compared = last.bits(limit(before, "embedding", dimensions), 2)
            return min(compared, _component(before, dimensions))
        case _:
            alone = max(0.0, limit(chain, "embedding", 1).bits - NORM)
            share = limit(chain, "embedding", dimensions).bits / dimensions
            return alone if share > 1.0 else min(alone, share)
