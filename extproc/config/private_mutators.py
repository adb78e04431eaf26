"""Private answers: that no mutator spoils what they promise, and nothing beside them tells it.

Rule: such a mutator is the first of its chain, and the only one of its sort.  What follows works on
what anybody may know; what came before would be lost in its noise, or in the grid that it lays.
Alone ``truncate`` is of use before it: it leaves fewer dimensions to hide, and what is left is
brought to the length that the noise is for.  Two of them would spend twice for one answer.
"""

from collections.abc import Sequence
from typing import Any

from extproc.config.document import Document, Place
from extproc.dialects.kinds import UNCOUNTED, kinds_of
from extproc.fidelity import Fidelity
from extproc.marks.writing import Writing
from extproc.mutators import Mutator, NoisyMax, Private, RandomizedResponse, Truncate
from extproc.prediction import KINDS, Kind
from extproc.route import Route


def check_order(document: Document, place: Place, chain: Sequence[Mutator | Writing]) -> None:
    """Raise ConfigError where a chain does what is of no use to a private answer."""
    at = next((index for index, each in enumerate(chain) if isinstance(each, Private)), None)
    if at is None:
        return
    private = _name(chain[at])
    for index, each in enumerate(chain):
        if index < at and not isinstance(each, Truncate):
            wrong = f"what {_name(each)} does is lost in the noise of {private} behind it"
            raise document.fault((*place, index), wrong, "put it behind, or remove it")
        if index > at and isinstance(each, Private):
            wrong = f"{_name(each)} spends privacy on what {private} has made private already"
            raise document.fault((*place, index), wrong, "remove one of them")


def check_beside(document: Document, fidelity: Fidelity, route: Route) -> None:
    """Raise ConfigError where a route tells beside a private answer what that answer hides."""
    found = [kind for kind in kinds_of(route.dialect) if kind in fidelity.mutators]
    for kind in found:
        for index, each in enumerate(fidelity.mutators[kind]):
            telling = _telling(each)
            told = next((other for other in found if other in telling and other != kind), None)
            if told is not None:
                place = ("fidelities", fidelity.name, kind, index)
                wrong = f"{route.name} answers {told} as well, which tells what {_name(each)} hides"
                raise document.fault(place, wrong, f"leave {told} out, or remove the route")


def _telling(mutator: Mutator) -> tuple[Kind, ...]:
    """The kinds that tell what it hides.

    Votes hide what the members of an ensemble learned, so any other prediction does; a tensor that
    nobody declared may be anything; the rest is promised of one output, and not of others.
    """
    match mutator:
        case NoisyMax():
            return tuple(kind for kind in KINDS if kind not in UNCOUNTED)
        case RandomizedResponse():
            return ("label", "tensor")
        case Private():
            return ("tensor",)
        case _:
            return ()


def _name(mutator: Any) -> str:
    return str(mutator.__struct_config__.tag)
