"""Every order in which mutators can be chained, and what is said of it when a policy is loaded.

The mutators are those of the registry, each as tests/mutators/test_mutators.py configures it, and
``top_k`` also as it tells what it hides.  What is refused is what the loader refuses: the checks
here are its own, of a policy file with one route for each kind, and of probabilities with two: one
that names its classes, and one that has a place for each.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any, Final

import msgspec

from extproc.config.diagnosis import policy_of
from extproc.config.document import Document
from extproc.config.fidelities import check_other, compile_fidelities
from extproc.config.gatherings import check_gatherings
from extproc.config.marks import check_marks
from extproc.config.private_mutators import check_beside
from extproc.config.routes import compile_routes
from extproc.errors import ConfigError
from extproc.fidelity import Fidelity
from extproc.mutators import Drop, Mark, MarkPositions, Mutator, Private, TopK
from extproc.prediction import Kind
from extproc.route import Route
from tests.mutators.test_mutators import ALL

Chain = tuple[Mutator, ...]

OTHER: Final = TopK(k=2, other=True)
DROP: Final = Drop()
EVERY: Final[Sequence[Mutator]] = [*ALL, OTHER]
KINDS: Final[Sequence[Kind]] = ("probabilities", "votes", "score", "logprobs", "embedding")
"""The kinds that mutators understand."""
_TEXT: Final = """\
version: 1
listen: unix:///run/extproc.sock
health: 127.0.0.1:9101
keys: {hmac: "env:HMAC"}
audit: {path: audit.jsonl, key: "env:AUDIT"}
ownership: {vault: marks.vault, recipient: "file:vault.pub"}
routes:
  - {path: "/predictions/{model}", dialect: torchserve}
  - path: "/places/{model}"
    dialect: {kind: kserve_v2, outputs: {p: probabilities}}
  - {path: /votes, dialect: {kind: votes, teachers: 100}}
  - path: "/v2/models/{model}/infer"
    dialect: {kind: kserve_v2, outputs: {s: score}}
  - path: "/apart/{model}"
    dialect: {kind: kserve_v2, outputs: {p: probabilities, l: label}}
  - {path: /v1/chat/completions, dialect: openai_chat}
  - {path: /v1/embeddings, dialect: openai_embeddings}
fidelities: {}
policies: {}
tenants: {}
"""
_DOCUMENT: Final = Document(Path("policy.yaml"), msgspec.yaml.decode(_TEXT), {(): 1})
_SETTINGS: Final = policy_of(_DOCUMENT)


def fitting(kind: Kind) -> list[Mutator]:
    """The mutators that work on a kind, in the registry's order."""
    return [each for each in EVERY if kind in each.KINDS and (each, kind) != (OTHER, "logprobs")]


def chains(kind: Kind, most: int) -> Iterator[Chain]:
    """Every order of so many of them at most, none twice."""
    known = fitting(kind)
    for count in range(1, min(most, len(known)) + 1):
        yield from permutations(known, count)


@cache
def accepted(kind: Kind, most: int) -> tuple[Chain, ...]:
    """Those that a policy allows, and that serve something."""
    serving = (chain for chain in chains(kind, most) if DROP not in chain)
    return tuple(chain for chain in serving if refused(kind, chain) is None)


def refused(kind: Kind, chain: Chain, *beside: Kind, apart: bool = False) -> str | None:
    """What is said of a policy file with this chain; None where it loads.

    ``beside``: what passes in the same tier; ``apart``: on a route that declares an output of
    labels, and classes without names.
    """
    names: tuple[Kind, ...] = (*beside, "label") if OTHER in chain else beside
    try:
        fidelities: dict[str, Any] = {"tier": {kind: chain, **dict.fromkeys(names, "pass")}}
        [fidelity] = compile_fidelities(_DOCUMENT, fidelities).values()
        for route in routes(chain, apart=apart):
            _check(fidelity, route)
    except ConfigError as error:
        return str(error)
    return None


def name(mutator: Mutator) -> str:
    tag = str(mutator.__struct_config__.tag)
    return f"{tag} other" if mutator == OTHER else tag


def written(chain: Iterable[Mutator]) -> str:
    return " > ".join(map(name, chain))


def is_promising(chain: Iterable[Mutator]) -> bool:
    """Whether something in it is private, or marks."""
    return any(isinstance(each, Private | Mark | MarkPositions) for each in chain)


def is_private(chain: Iterable[Mutator]) -> bool:
    return any(isinstance(each, Private) for each in chain)


def routes(chain: Chain, *, apart: bool = False) -> list[Route]:
    """Those that a policy with this chain may have.

    Where classes have names it is the model that says which of them it answers, so that nothing is
    private; and where they have places alone there is none for what is hidden.
    """
    if apart:
        return [route for route in _routes() if route.path.startswith("/apart")]
    without = ["/apart"]
    if is_private(chain):
        without.append("/predictions")
    elif OTHER in chain:
        without.append("/places")
    return [route for route in _routes() if not route.path.startswith(tuple(without))]


@cache
def _routes() -> tuple[Route, ...]:
    return tuple(compile_routes(_DOCUMENT, _SETTINGS))


def _check(fidelity: Fidelity, route: Route) -> None:
    check_other(_DOCUMENT, fidelity, route)
    check_gatherings(_DOCUMENT, fidelity, [route])
    check_beside(_DOCUMENT, fidelity, route)
    check_marks(_DOCUMENT, _SETTINGS, fidelity, [route])
