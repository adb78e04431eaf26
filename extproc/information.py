"""What a request may cost in bits before it goes on, and what its answer did cost.

Rule: both are upper bounds of one thing, the log2 of how many answers there can be (see
mutators/capacity.py), in whole bits by kind, rounded up.  Before the answer is there its sizes are
those that the route declares, and what the request itself lets be written; behind it they are the
answer's own, and one that turns out larger than declared is charged as it was.

Of what a model wrote each token counts as one of a vocabulary, or each octet as one of 256 if that
is less: a text is a function of its tokens, and stands in its octets.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Final, Literal, get_args

import numpy as np
from msgspec import Meta, Struct

from extproc.dialects import Dialect, Generic, TorchServe
from extproc.dialects.features import features
from extproc.dialects.kinds import (
    UNCOUNTED,
    has_own_shape,
    has_totals,
    is_a_class,
    is_a_token,
    kinds_of,
    outputs_of,
)
from extproc.dialects.noted import VOCABULARY, Noted
from extproc.dialects.paid import Price
from extproc.dialects.told import Told, rounded_up
from extproc.entitlement import Entitlement
from extproc.mutators import Mutator, Private, Whole, limit
from extproc.mutators.capacity import FLOAT, TOKEN
from extproc.prediction import Kind, Query, Votes

Chains = Mapping[Kind, Sequence[Mutator]]
"""The mutators of a tier, by kind; a kind that is missing is dropped."""
Sized = Literal["probabilities", "score", "embedding", "label", "tensor", "tokens"]
SIZED: Final[tuple[Sized, ...]] = get_args(Sized)
LARGEST: Final = 1 << 53
"""More bits than any budget has: what is counted as more is this."""
_OCTET: Final = 8.0
_NOBODY: Final = Votes(np.zeros(1, np.int64))
"""The answer about votes that names no class."""
_WRITTEN: Final[tuple[Kind, ...]] = ("text", "reasoning")
_TOKENS: Final[tuple[Sized, ...]] = ("tokens",)
_KNOWN: Final = 1024
"""Sizes whose bits are kept, of one policy."""
_Size = Annotated[int, Meta(ge=1, le=1 << 24)] | None


class Sizes(Struct, frozen=True, forbid_unknown_fields=True):
    """The most that the answer to one input has, on one route; None where nobody says."""

    probabilities: _Size = None
    """Classes, in one distribution."""
    score: _Size = None
    """Scores: one for each class or category."""
    embedding: _Size = None
    """Dimensions of one vector."""
    label: _Size = None
    """Classes that a label is one of; by default those of the probabilities."""
    tensor: _Size = None
    """Numbers in all tensors that are not declared; in strings, 8 octets are one."""
    tokens: _Size = None
    """Tokens that are written to one input, or that one input has where each has a vector."""

    @property
    def classes(self) -> int:
        """That a label is one of; 0 where nobody says."""
        return max(self.label or 0, self.probabilities or 0)

    def written(self, noted: Noted) -> int | None:
        """The most tokens that one answer has; None where neither request nor route bounds it."""
        return min(filter(None, (noted.tokens, self.tokens)), default=None)


UNSIZED: Final = Sizes()


class Measure:
    """What predictions of a tier tell at most; made once for each policy, since it remembers."""

    def __init__(self, chains: Chains, sizes: Sizes, inputs: int = 1) -> None:
        self._chains, self._sizes, self._inputs = chains, sizes, inputs
        self._known: dict[tuple[Kind, int], float] = {}
        self.classes = sizes.classes

    def of(self, inputs: int) -> "Measure":
        """In an answer to so many inputs, which a tier may compare with each other."""
        compares = any(isinstance(each, Whole) for each in self._chains.get("embedding", ()))
        return Measure(self._chains, self._sizes, inputs) if compares else self

    def __call__(self, kind: Kind, size: int) -> float:
        known = self._known.get((kind, size))
        if known is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            known = self._known[kind, size] = rounded_up(self._bits(kind, size))
        return known

    def _bits(self, kind: Kind, size: int) -> float:
        if kind == "label":
            classes = max(size, self.classes)
            return math.log2(classes) if self.classes else TOKEN
        if kind == "tensor":
            return size * FLOAT
        if kind not in self._chains or (not size and kind != "logprobs"):
            return 0.0
        return limit(self._chains[kind], kind, size, self._inputs).bits


class Information:
    """Of one policy on one route: what a tier lets through of what a dialect can answer."""

    def __init__(self, dialect: Dialect, chains: Chains, sizes: Sizes) -> None:
        self._dialect, self._chains, self._sizes = dialect, chains, sizes
        self._measure = Measure(chains, sizes)
        self._kinds = [k for k in kinds_of(dialect) if k in chains and k not in UNCOUNTED]
        self._ranks = "probabilities" in kinds_of(dialect)
        self._written = [kind for kind in self._kinds if kind in _WRITTEN]

    def measure(self, inputs: int) -> Measure:
        """Of the answer to a request of so many inputs."""
        return self._measure.of(inputs)

    def missing(self, entitlement: Entitlement) -> tuple[Sized, ...]:
        """The sizes that a route must declare for the bits of its answers to have a bound."""
        bounded = entitlement.max_tokens is not None and "max_tokens" in features(
            self._dialect.read
        )
        asked = {size for kind in self._kinds for size in self._needed(kind, bounded=bounded)}
        declared = {size for size in SIZED if getattr(self._sizes, size) is not None}
        if self._sizes.classes:
            declared.add("label")
        return tuple(size for size in SIZED if size in asked - declared)

    def _needed(self, kind: Kind, *, bounded: bool) -> Iterator[Sized]:
        if kind in SIZED and (kind != "score" or self._has_several(kind)):
            yield kind
        if kind == "votes":
            yield "probabilities"
        if kind == "label" and self._is_listed:
            yield "score"
        if kind in _WRITTEN or is_a_token(self._dialect, kind):
            yield from () if bounded and kind != "embedding" else _TOKENS

    def _has_several(self, kind: Kind) -> bool:
        """Whether the answer to one input may hold more of them than outputs are declared."""
        return is_a_class(self._dialect, kind) or has_own_shape(self._dialect)

    @property
    def _is_listed(self) -> bool:
        """Whether there may be a label for each category, beside no probabilities."""
        return is_a_class(self._dialect, "label") and not self._ranks

    def expected(self, query: Query, noted: Noted) -> dict[Kind, int]:
        """The most that the answer to a request can tell, by kind."""
        measure = self.measure(query.inputs)
        tokens = self._sizes.written(noted) or VOCABULARY
        found: dict[Kind, int] = {}
        for kind in self._kinds:
            if kind in self._written[1:]:
                continue  # what is written is counted together, whatever of it is reasoning
            size, number = self._predictions(kind, noted, tokens)
            each = size * TOKEN if kind in self._written else measure(kind, size)
            each += self._names(kind) * measure("label", 1)
            found[kind] = _whole(each * number * query.inputs)
        return found

    def private(self, query: Query, noted: Noted) -> dict[Kind, int]:
        """How many predictions of the answer to one input are made private, by kind."""
        tokens = self._sizes.written(noted) or VOCABULARY
        return {kind: self._predictions(kind, noted, tokens)[1] for kind in self.prices}

    @cached_property
    def prices(self) -> dict[Kind, Price]:
        """What each of them costs."""
        return {
            kind: Price(each.cost(), each.spent(_NOBODY))
            for kind in self._kinds
            for each in self._chains[kind]
            if isinstance(each, Private)
        }

    def is_counted(self, kind: Kind) -> bool:
        """Whether it is known how many predictions of a kind there are of one input."""
        several = kind == "score" and self._has_several("score") and self._sizes.score is None
        endless = is_a_token(self._dialect, kind) and self._sizes.tokens is None
        return not several and not endless

    def _names(self, kind: Kind) -> int:
        """How many names may be told with a prediction, by which members it stands in."""
        if not isinstance(self._dialect, Generic | TorchServe):
            return 0
        return self._shown if kind == "probabilities" else 1

    def _predictions(self, kind: Kind, noted: Noted, tokens: int) -> tuple[int, int]:
        """Of what size the predictions about one input are, and how many."""
        sizes, dialect = self._sizes, self._dialect
        match kind:
            case "text" | "reasoning":
                return tokens, noted.choices
            case "logprobs":
                written = tokens if noted.logprobs else 0
                # A stream may tell the totals with every token.
                totals = 2 * max(written, 1) if has_totals(dialect) else 0
                return noted.alternatives, (written + totals) * noted.choices
            case "score":
                several = sizes.score if self._has_several(kind) else None
                return 1, several or outputs_of(dialect, kind)
            case "label":
                return 1, self._labels
            case "embedding":
                times = tokens if is_a_token(dialect, kind) else 1
                return sizes.embedding or 1, outputs_of(dialect, kind) * times
            case _:
                size = sizes.tensor if kind == "tensor" else sizes.probabilities
                return size or 1, outputs_of(dialect, kind)

    @cached_property
    def _labels(self) -> int:
        """How many classes are named of one input."""
        several = self._sizes.score if self._has_several("label") else None
        return (several or outputs_of(self._dialect, "label")) + self._shown

    @cached_property
    def _shown(self) -> int:
        """How many classes of one distribution are."""
        chain = self._chains.get("probabilities") if self._ranks else None
        if chain is None:
            return 0
        return limit(chain, "probabilities", self._sizes.probabilities or 1).shown


def spent(told: Told, *, ended: bool) -> dict[Kind, int]:
    """What was counted of an answer, by kind; ``ended``: whether it was rewritten to its end.

    Tokens are counted by the model server where it tells, and tells so of a whole answer.
    """
    bits = dict(told.bits)
    output = told.usage.output_tokens if ended else None
    left = math.inf if output is None else output * TOKEN
    for kind in _WRITTEN:
        if kind in told.octets:
            bits[kind] = min(told.octets[kind] * _OCTET, left)
            left -= bits[kind]
    return {kind: _whole(counted) for kind, counted in bits.items() if counted}


def _whole(bits: float) -> int:
    return math.ceil(min(bits, LARGEST))
