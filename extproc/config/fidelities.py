"""Fidelities: that every mutator understands the kind it is given, and stands where it can work.

Rule: a kind that is dropped is left out of its tier, so that what the tier does not name, what no
mutator reads, and what a request may ask for are all decided in one way.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from extproc.config.document import Document, Place
from extproc.config.private_mutators import check_order
from extproc.config.settings import FidelitySettings
from extproc.fidelity import Fidelity
from extproc.marks.writing import Writing
from extproc.mutators import Drop, Mutator, Round, TopK, Whole
from extproc.prediction import Kind
from extproc.route import Route


def compile_fidelities(
    document: Document, fidelities: Mapping[str, FidelitySettings], routes: Sequence[Route]
) -> dict[str, Fidelity]:
    """The tiers in the file's order, by name.  Raise ConfigError where a mutator is misplaced, or
    a route cannot do what it asks for.
    """
    compiled = {
        name: _fidelity(document, ("fidelities", name), name, settings)
        for name, settings in fidelities.items()
    }
    for name, fidelity in compiled.items():
        _check_other(document, ("fidelities", name), fidelity, routes)
    return compiled


def _fidelity(document: Document, place: Place, name: str, settings: FidelitySettings) -> Fidelity:
    mutators: dict[Kind, tuple[Mutator, ...]] = {}
    writings: tuple[Writing, ...] = ()
    for kind, chosen in settings.items():
        if isinstance(chosen, str):  # pass
            mutators[kind] = ()
            continue
        _check_kinds(document, (*place, kind), kind, chosen)
        check_order(document, (*place, kind), chosen)
        if not any(isinstance(mutator, Drop) for mutator in chosen):
            mutators[kind] = tuple(each for each in chosen if not isinstance(each, Writing))
            writings += tuple(each for each in chosen if isinstance(each, Writing))
    return Fidelity(name, mutators, writings)


def _check_kinds(
    document: Document, place: Place, kind: Kind, mutators: tuple[Mutator | Writing, ...]
) -> None:
    for index, mutator in enumerate(mutators):
        if kind not in _kinds(type(mutator)):
            known = (*get_args(Mutator), *get_args(Writing))
            fitting = [_name(each) for each in known if kind in _kinds(each)]
            wrong = f"{_name(type(mutator))} does not work on {kind}"
            remedy = f"write pass, or a list of {', '.join(fitting)}"
            raise document.fault((*place, index), wrong, remedy)
        if isinstance(mutator, Whole) and index + 1 < len(mutators):
            wrong = f"{_name(type(mutator))} answers all inputs at once, and stands before others"
            raise document.fault((*place, index), wrong, "move it to the end, once")


def _check_other(
    document: Document, place: Place, fidelity: Fidelity, routes: Sequence[Route]
) -> None:
    """What is hidden needs a name of its own in every answer, and mutators that leave it alone."""
    for kind, chain in fidelity.mutators.items():
        for index, mutator in enumerate(chain):
            if isinstance(mutator, TopK) and mutator.other:
                here = (*place, kind, index, "other")
                for wrong, remedy in _against_other(kind, chain[index + 1 :], fidelity, routes):
                    raise document.fault(here, wrong, remedy)


def _against_other(
    kind: Kind, after: Sequence[Mutator], fidelity: Fidelity, routes: Sequence[Route]
) -> Iterator[tuple[str, str]]:
    if kind != "probabilities":
        yield f"other does not work on {kind}", "remove it"
    for mutator in after:
        if not isinstance(mutator, Round):
            yield f"{_name(type(mutator))} behind it knows no other", "put it before, or remove one"
    if "label" not in fidelity.mutators:
        yield "other is the name of a class, and no names pass", "name label in this fidelity"
    for route in routes:
        if route.dialect.positional():
            wrong = f"{route.name} answers probabilities without names, where other has no place"
            yield wrong, "remove it, or the route"


def _kinds(mutator: Any) -> frozenset[Kind]:
    return mutator.KINDS if hasattr(mutator, "KINDS") else frozenset[Kind](("text",))


def _name(mutator: Any) -> str:
    return str(mutator.__struct_config__.tag)
