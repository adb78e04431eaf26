"""Comparisons: that every route can edit the vectors of an answer all together, where a tier does.

Rule (design law 12): a tier that could not act on an answer of a route is an error, and no answer
is left to fail when it comes.
"""

from collections.abc import Sequence

from extproc.config.document import Document
from extproc.dialects.vector_places import vector_places
from extproc.fidelity import Fidelity
from extproc.mutators import Whole
from extproc.route import Route


def check_gatherings(document: Document, fidelity: Fidelity, routes: Sequence[Route]) -> None:
    """Raise ConfigError where the tier compares vectors that a route does not give one an input."""
    for kind, chain in fidelity.mutators.items():
        for index, mutator in enumerate(chain):
            if isinstance(mutator, Whole):
                name = str(mutator.__struct_config__.tag)
                place = ("fidelities", fidelity.name, kind, index)
                _check(document, place, name, routes)


def _check(
    document: Document, place: tuple[str | int, ...], name: str, routes: Sequence[Route]
) -> None:
    for route in routes:
        for answer in route.dialect.answers().values():
            if not all(vector_places(answer)):
                wrong = f"{route.name} answers embeddings that are not known to be one an input"
                remedy = f"remove {name}, or remove the route or what it declares an embedding"
                raise document.fault(place, wrong, remedy)
