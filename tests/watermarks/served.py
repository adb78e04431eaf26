"""A victim whose vectors a thief gets as a policy serves them, and what its owner has of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import numpy as np

from extproc.canonical import digest
from extproc.draw import Draw, Draws
from extproc.marks.spaces import Trace, moved, residues
from extproc.mutators import Mutator, mutate
from extproc.prediction import Embedding
from extproc.redteam.answers import Floats

STRENGTH: Final = 0.03
MARKED: Final = f"[{{kind: mark_positions, strength: {STRENGTH}}}]"
_ROOT: Final = Draw(b"watermarks of embeddings, a key.")


def key(tenant: str) -> Draw:
    """Of its marks."""
    return _ROOT.child(b"marks " + tenant.encode())


def space(tenant: str) -> Draw:
    """Of its rotation."""
    return _ROOT.child(b"space " + tenant.encode())


def mutators(policy: str) -> list[Mutator]:
    """Mutators, as a policy file writes them."""
    read: list[Mutator] = msgspec.yaml.decode(policy, type=list[Mutator])
    return read


@dataclass(frozen=True, slots=True)
class Served:
    """How one tenant's answers leave; called as a planted victim's `Serve`."""

    policy: str = MARKED
    tenant: str = "acme"

    def __call__(self, vectors: Floats, _key: int, texts: Sequence[str]) -> Floats:
        chain, rows = mutators(self.policy), []
        for vector, text in zip(vectors, texts, strict=True):
            draws = Draws(space(self.tenant), [digest(text)])
            source = replace(draws.of(0), marks=key(self.tenant))
            after = mutate(chain, source, Embedding(vector))
            assert isinstance(after, Embedding)
            rows.append(after.values)
        return np.array(rows)


def found(raw: Floats, suspect: Floats, tenant: str = "acme", strength: float = STRENGTH) -> Trace:
    """What its owner finds, who has the vectors themselves."""
    return found_each(raw, suspect, (tenant,), strength)[0]


def found_each(
    raw: Floats, suspect: Floats, tenants: Sequence[str], strength: float = STRENGTH
) -> list[Trace]:
    """Of each of several."""
    left = residues(raw, suspect)
    return [moved(key(tenant), strength, raw, left) for tenant in tenants]
