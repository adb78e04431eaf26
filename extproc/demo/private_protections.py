"""What is told of the votes of an ensemble, and for how long.

Rule: what policy.yaml promises is said here again, as the number of answers that it has room for.
"""

from collections.abc import Iterator
from typing import Final

from extproc.demo.answer import Answer, outputs
from extproc.demo.private import Private
from extproc.demo.verdict import Checks

GRANTED: Final = 21
_MEMBERS: Final = 100


def _votes(answer: Answer) -> list[int]:
    """The only thing that an answer tells."""
    [(name, votes)] = outputs(answer).items()
    if name != "votes":
        raise ValueError(f"{name} is told")
    return votes


def one_class_told(private: Private) -> Iterator[str]:
    said = _votes(private.said)
    if sum(said) != _MEMBERS or max(said) == _MEMBERS:
        yield f"the ensemble has {sum(said)} votes, of which {max(said)} are for one class"
    for number, answer in enumerate(private.told):
        if answer.status == 200 and sorted(_votes(answer)) != [*(len(said) - 1) * [0], 1]:
            yield f"image {number}: {_votes(answer)} is told"


def promise_kept(private: Private) -> Iterator[str]:
    statuses = [answer.status for answer in private.told]
    wanted = [*GRANTED * [200], *(len(statuses) - GRANTED) * [429]]
    if statuses != wanted:
        yield f"{statuses.count(200)} of {len(statuses)} images answered, not the first {GRANTED}"
    if (private.again.status, private.again.body) != (200, private.told[0].body):
        yield f"the first again: status {private.again.status}, or another answer"


PRIVATE: Final[Checks[Private]] = {
    "of an ensemble's votes one class is told, and no count": one_class_told,
    "private answers end with their promise, and what was told is told again": promise_kept,
}
