"""The order of mutators in a chain: that each stands where it can work.

Rule: whether one may stand before another is a matter of the two, whatever stands between them; so
a chain is right where all its pairs are, and docs/mutators.md shows every pair.

What marks or blurs classes works on the model's own: behind another it would serve a class that is
not the next.  What is private is private in what it is given, and of use alone where that is what
the model said: what came before would be lost in its noise, or in the grid that it lays.  Alone
``truncate`` may come first: it leaves fewer dimensions to hide, and what is left is brought to the
length that the noise is for.  Two private ones would spend twice for one answer.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final, Literal

from msgspec import Struct

from extproc.config.document import Document, Place
from extproc.mutators import (
    Drop,
    MarkPositions,
    Mutator,
    Private,
    RandomizedResponse,
    Round,
    TopK,
    Truncate,
    Whole,
)


class Misplaced(Struct, frozen=True):
    """Why one mutator may not stand before another, and what to do about it."""

    which: Literal[0, 1]
    """0: the one before is at fault, 1: the one behind."""
    wrong: str
    """With their names as {before} and {behind}."""
    remedy: str
    field: tuple[str, ...] = ()
    """Of the mutator at fault."""


_REMOVE: Final = "remove one of the two"
_BEGIN: Final = "move it to the beginning, once"
COMPARED: Final = Misplaced(
    0,
    "{before} answers all inputs at once, and stands before others",
    "move it to the end, once",
)
UNSEEN: Final = Misplaced(0, "vectors that are marked are compared, and not served", _REMOVE)
LOST: Final = Misplaced(
    0,
    "what {before} does is lost in the noise of {behind} behind it",
    "put it behind, or remove it",
)
SPENT: Final = Misplaced(
    1,
    "{behind} spends privacy on what {before} has made private already",
    "remove one of them",
)
MOVED: Final = Misplaced(
    1, "{behind} stands behind others, and marks not the model's own vectors", _BEGIN
)
RELABELLED: Final = Misplaced(0, "{behind} behind it may change the label again", _REMOVE)
HIDDEN: Final = Misplaced(
    1, "{behind} stands behind others, which may hide the class that is next", _BEGIN
)
WHOLE: Final = Misplaced(
    1, "of the one class that {before} answers nothing is hidden", "remove it", ("other",)
)
UNKNOWN: Final = Misplaced(
    0, "{behind} behind it knows no other", "put it before, or remove one", ("other",)
)


def check_order(document: Document, place: Place, chain: Sequence[Mutator]) -> None:
    """Raise ConfigError where one of a chain may not stand before another of them."""
    for first, second in combinations(range(len(chain)), 2):
        before, behind = chain[first], chain[second]
        found = misplaced(before, behind)
        if found is not None:
            here = (*place, (first, second)[found.which], *found.field)
            wrong = found.wrong.format(before=tag(before), behind=tag(behind))
            raise document.fault(here, wrong, found.remedy)


def misplaced(before: Mutator, behind: Mutator) -> Misplaced | None:
    """What is wrong with two of a chain in this order; None where nothing is."""
    return _of_answers(before, behind) or _of_classes(before, behind)


def _of_answers(before: Mutator, behind: Mutator) -> Misplaced | None:
    match before, behind:
        case Whole(), _:
            return COMPARED
        case MarkPositions(), Whole():
            return UNSEEN
        case Private(), Private():
            return SPENT
        case _, Private() if not isinstance(before, Truncate):
            return LOST
        case _, MarkPositions():
            return MOVED
        case _:
            return None


def _of_classes(before: Mutator, behind: Mutator) -> Misplaced | None:
    match before, behind:
        case _ if behind.RELABELS:
            return RELABELLED if before.RELABELS else HIDDEN
        case RandomizedResponse(), TopK(other=True):
            return WHOLE
        case TopK(other=True), _ if not isinstance(behind, Round | Drop):
            return UNKNOWN
        case _:
            return None


def tag(mutator: Any) -> str:
    """What the policy file calls it."""
    return str(mutator.__struct_config__.tag)
