"""Fidelities: that every mutator understands the kind it is given, and stands where it can work.

Rule: a kind that is dropped is left out of its tier, so that what the tier does not name, what no
mutator reads, and what a request may ask for are all decided in one way.
"""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from extproc.config.document import Document, Place
from extproc.config.orders import check_order, tag
from extproc.config.settings import FidelitySettings
from extproc.fidelity import Fidelity
from extproc.marks.writing import Writing
from extproc.mutators import Drop, Mutator, TopK
from extproc.prediction import Kind
from extproc.route import Route


def compile_fidelities(
    document: Document, fidelities: Mapping[str, FidelitySettings]
) -> dict[str, Fidelity]:
    """The tiers in the file's order, by name.  Raise ConfigError where a mutator is misplaced."""
    return {
        name: _fidelity(document, ("fidelities", name), name, settings)
        for name, settings in fidelities.items()
    }


def _fidelity(document: Document, place: Place, name: str, settings: FidelitySettings) -> Fidelity:
    mutators: dict[Kind, tuple[Mutator, ...]] = {}
    writings: tuple[Writing, ...] = ()
    for kind, chosen in settings.items():
        if isinstance(chosen, str):  # pass
            mutators[kind] = ()
            continue
        _check_kinds(document, (*place, kind), kind, chosen)
        chain = tuple(each for each in chosen if not isinstance(each, Writing))
        check_order(document, (*place, kind), chain)
        if not any(isinstance(mutator, Drop) for mutator in chain):
            mutators[kind] = chain
            writings += tuple(each for each in chosen if isinstance(each, Writing))
    fidelity = Fidelity(name, mutators, writings)
    for here, kind in _others(fidelity):
        for wrong, remedy in _against_other(kind, fidelity):
            raise document.fault(here, wrong, remedy)
    return fidelity


def _check_kinds(
    document: Document, place: Place, kind: Kind, mutators: tuple[Mutator | Writing, ...]
) -> None:
    for index, mutator in enumerate(mutators):
        if kind not in _kinds(type(mutator)):
            known = (*get_args(Mutator), *get_args(Writing))
            fitting = [tag(each) for each in known if kind in _kinds(each)]
            wrong = f"{tag(mutator)} does not work on {kind}"
            remedy = f"write pass, or a list of {', '.join(fitting)}"
            raise document.fault((*place, index), wrong, remedy)


def check_other(document: Document, fidelity: Fidelity, route: Route) -> None:
    """Raise ConfigError where the tier tells what is hidden, and the route has no place for it."""
    if route.dialect.positional():
        for here, _ in _others(fidelity):
            wrong = f"{route.name} answers probabilities without names, where other has no place"
            raise document.fault(here, wrong, "remove it, or the route")


def _others(fidelity: Fidelity) -> Iterator[tuple[Place, Kind]]:
    """Where what is hidden is told, and of which kind: it needs a name of its own."""
    for kind, chain in fidelity.mutators.items():
        for index, mutator in enumerate(chain):
            if isinstance(mutator, TopK) and mutator.other:
                yield ("fidelities", fidelity.name, kind, index, "other"), kind


def _against_other(kind: Kind, fidelity: Fidelity) -> Iterator[tuple[str, str]]:
    if kind != "probabilities":
        yield f"other does not work on {kind}", "remove it"
    if "label" not in fidelity.mutators:
        yield "other is the name of a class, and no names pass", "name label in this fidelity"


def _kinds(mutator: Any) -> frozenset[Kind]:
    return mutator.KINDS if hasattr(mutator, "KINDS") else frozenset[Kind](("text",))
