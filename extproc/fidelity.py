"""A tier: what happens to each kind of prediction before it is served.

Rule: a kind that it does not name is dropped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

import msgspec

from extproc.dialects.mutation import Batched, Gathering, Mutation
from extproc.marks.writing import Canary, Writing
from extproc.mutators import Keyed, Mark, MarkPositions, Mutator, Rotate, TopK, Whole, limit, mutate
from extproc.mutators.batch import ByRows, ByTokens, mutate_rows, mutate_tokens
from extproc.prediction import Kind


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A named tier: the mutators per kind; a kind that is missing is dropped."""

    name: str
    mutators: Mapping[Kind, Sequence[Mutator]]
    writings: Sequence[Writing] = ()
    """What it does to texts, which pass or not as the mutators say."""
    _digest: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Makes the digest, which every keyed answer asks for."""
        chains = sorted((kind, tuple(chain)) for kind, chain in self.mutators.items())
        object.__setattr__(self, "_digest", sha256(msgspec.json.encode(chains)).digest())

    @property
    def keyed(self) -> bool:
        """Whether any of its mutators draws."""
        return any(isinstance(each, Keyed) for chain in self.mutators.values() for each in chain)

    @property
    def alternatives(self) -> int | None:
        """How many alternatives of a token it shows, None where it shows all there are."""
        shown = [each.k for each in self.mutators.get("logprobs", ()) if isinstance(each, TopK)]
        return min(shown, default=None)

    @property
    def rotates(self) -> bool:
        """Whether its vectors lie in a space of their tenant's own."""
        return any(isinstance(each, Rotate) for each in self.mutators.get("embedding", ()))

    @property
    def mark(self) -> Mark | None:
        """What marks its classes, so that a copy is known by them."""
        chain = self.mutators.get("probabilities", ())
        return next((each for each in chain if isinstance(each, Mark)), None)

    @property
    def moving(self) -> MarkPositions | None:
        """What moves its vectors, to the same end."""
        chain = self.mutators.get("embedding", ())
        return next((each for each in chain if isinstance(each, MarkPositions)), None)

    @property
    def canary(self) -> Canary | None:
        """What stands behind texts, to the same end."""
        return next((each for each in self.writings if isinstance(each, Canary)), None)

    def writings_on(self, kind: Kind) -> Sequence[Writing]:
        """What it does to this kind, where that is text."""
        return self.writings if kind == "text" else ()

    @property
    def compared(self) -> int | None:
        """Inputs that one request may have, where vectors are compared; None where they are not."""
        chain = self.mutators.get("embedding", ())
        return min((each.MOST for each in chain if isinstance(each, Whole)), default=None)

    def bits(self, kind: Kind, size: int, inputs: int = 1) -> float:
        """How much one prediction tells at most, of so many classes, dimensions, alternatives of a
        token, or tokens of a text; it is one of those that answer so many inputs.

        Of a kind whose size nobody knows, and that is not dropped, any amount.
        """
        chain = self.mutators.get(kind)
        return limit(chain, kind, size, inputs).bits if chain is not None else 0.0

    def digest(self) -> bytes:
        """Of what it does, whatever it is called: 32 octets."""
        return self._digest

    def edits(self) -> dict[Kind, Mutation | None]:
        """By kind: the mutators as one function, or None where the kind passes untouched."""
        return {kind: _mutation(kind, mutators) for kind, mutators in self.mutators.items()}


def _mutation(kind: Kind, mutators: Sequence[Mutator]) -> Mutation | None:
    match mutators:
        case []:
            return None
        case [*each, Whole() as last]:
            return Gathering(partial(mutate, tuple(each)), last.apply_all)
        case _:
            return _batched(kind, tuple(mutators))


def _batched(kind: Kind, mutators: Sequence[Mutator]) -> Mutation:
    one = partial(mutate, mutators)
    by_rows = [each for each in mutators if isinstance(each, ByRows)]
    by_tokens = [each for each in mutators if isinstance(each, ByTokens)]
    if kind == "logprobs" and len(by_tokens) == len(mutators):
        return Batched(one, tokens=partial(mutate_tokens, by_tokens))
    if kind != "logprobs" and len(by_rows) == len(mutators):
        return Batched(one, rows=partial(mutate_rows, by_rows, kind))
    return one
