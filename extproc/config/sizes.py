"""How large the answers of a route are, where its policy file says so.

Rule: a size that no answer of the route could have is an error, and so is a budget in bits over a
route whose answers have no bound without one: it could not act (design law 12).
"""

from collections.abc import Mapping
from typing import Final

from extproc.config.document import Document, Place
from extproc.dialects import Dialect
from extproc.entitlement import ALL, Entitlement
from extproc.fidelity import Fidelity
from extproc.information import SIZED, Information, Sized, Sizes
from extproc.prediction import KINDS
from extproc.route import Route

_LARGEST: Final[Mapping[Sized, str]] = {
    "probabilities": "sizes: {probabilities: 1000}, the most classes of one answer",
    "score": "sizes: {score: 20}, the most scores in the answer to one input",
    "embedding": "sizes: {embedding: 384}, the most dimensions of a vector",
    "label": "sizes: {label: 1000}, the most classes that a label is one of",
    "tensor": "sizes: {tensor: 4096}, the most numbers in the answer to one input",
    "tokens": "sizes: {tokens: 8192}, the most of one answer, or grant a max_tokens",
}


def check_sizes(document: Document, place: Place, sizes: Sizes, dialect: Dialect) -> None:
    """Raise ConfigError where a size is declared of what the dialect cannot answer."""
    everything = Information(dialect, dict.fromkeys(KINDS, ()), Sizes())
    known = everything.missing(ALL)
    for name in SIZED:
        if getattr(sizes, name) is not None and name not in known:
            wrong = "no answer of this dialect has such a size"
            remedy = f"declare {' or '.join(known)}" if known else "remove it"
            raise document.fault((*place, name), wrong, remedy)


def check_counted(
    document: Document, place: Place, route: Route, tier: Fidelity, entitlement: Entitlement
) -> None:
    """Raise ConfigError where bits of the answers at a tier have no bound that is known before."""
    information = Information(route.dialect, tier.mutators, route.sizes)
    for size in information.missing(entitlement):
        wrong = f"bits of {route.name} have no bound at {tier.name}"
        raise document.fault(place, wrong, f"write on that route {_LARGEST[size]}")
