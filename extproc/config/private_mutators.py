"""What hides something of one prediction: that no other beside it tells just that.

Rule (design law 12): a tier that could not keep what its mutators promise is an error when the file
is loaded.
"""

from collections.abc import Sequence

from extproc.config.document import Document, Place
from extproc.config.orders import tag
from extproc.dialects.kinds import UNCOUNTED, is_a_class, is_chosen, kinds_of
from extproc.dialects.label_places import labels_apart
from extproc.fidelity import Fidelity
from extproc.mutators import DiscreteLaplace, Mutator, NoisyMax, Private, RandomizedResponse, Smooth
from extproc.prediction import KINDS, Kind
from extproc.route import Route


def check_beside(document: Document, fidelity: Fidelity, route: Route) -> None:
    """Raise ConfigError where a route tells beside an answer what that answer hides."""
    found = [kind for kind in kinds_of(route.dialect) if kind in fidelity.mutators]
    for kind in found:
        for index, each in enumerate(fidelity.mutators[kind]):
            telling, place = _telling(each, route), ("fidelities", fidelity.name, kind, index)
            if isinstance(each, Private) and is_chosen(route.dialect, kind):
                wrong = f"which of them {route.name} answers, or in what order, tells what "
                wrong += f"{tag(each)} hides"
                raise document.fault(place, wrong, f"leave {kind} out, or remove the route")
            if isinstance(each, NoisyMax):
                _check_threshold(document, place, each, route)
            told = next((other for other in found if other in telling and other != kind), None)
            if told is not None:
                wrong = f"{route.name} answers {told} as well, which tells what {tag(each)} hides"
                raise document.fault(place, wrong, f"leave {told} out, or remove the route")


def _check_threshold(document: Document, place: Place, mutator: NoisyMax, route: Route) -> None:
    most = getattr(route.dialect, "teachers", None)
    if most is not None and mutator.threshold is not None and mutator.threshold.votes > most:
        wrong = f"no class gets so many: {route.name} has {most} members"
        raise document.fault((*place, "threshold", "votes"), wrong, f"write at most {most}")


def check_lowered(document: Document, tiers: Sequence[Fidelity], route: Route) -> None:
    """Raise ConfigError where whoever is lowered from one of these tiers to the next, best first,
    is told there without noise what was hidden before.
    """
    hidden: dict[Kind, str] = {}
    for tier in tiers:
        answered = [kind for kind in kinds_of(route.dialect) if kind in tier.mutators]
        for kind in answered:
            if kind in hidden and not _hidden(tier.mutators[kind], kind, route):
                wrong = f"{route.name} is lowered to this, which tells what {hidden[kind]} hid"
                remedy = f"leave {kind} out of {tier.name}, or lower to another tier"
                raise document.fault(("fidelities", tier.name, kind), wrong, remedy)
        for kind in answered:
            hidden |= _hidden(tier.mutators[kind], kind, route)


def _hidden(chain: Sequence[Mutator], kind: Kind, route: Route) -> dict[Kind, str]:
    """The kinds of which nothing may be told without noise, and the mutator that hides them."""
    private = [each for each in chain if isinstance(each, Private)]
    return {told: tag(each) for each in private for told in (kind, *_telling(each, route))}


def _telling(mutator: Mutator, route: Route) -> tuple[Kind, ...]:
    """The kinds that tell what it hides.

    Votes hide what the members of an ensemble learned, so any other prediction does; a tensor that
    nobody declared may be anything; the rest is promised of one output, and not of others.  A label
    apart is the model's own, whatever its probabilities were made to say; and one that each
    category has, beside its score, may be a function of that.
    """
    match mutator:
        case NoisyMax():
            return tuple(kind for kind in KINDS if kind not in UNCOUNTED)
        case RandomizedResponse():
            return ("label", "tensor")
        case DiscreteLaplace() if is_a_class(route.dialect, "label"):
            return ("label", "tensor")
        case Private():
            return ("tensor",)
        case Smooth() if labels_apart(route.dialect):
            return ("label",)
        case _:
            return ()
