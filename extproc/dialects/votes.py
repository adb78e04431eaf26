"""Votes of an ensemble: one JSON object that asks, and one that answers; an API of our own.

A request is ``{"model": NAME, "inputs": [...]}``.  The model server answers ``{"model": NAME,
"classes": [...], "votes": [[...], ...]}``: a row for each input in its order, in it for each class
how many members of the ensemble chose it.  What is served has the same members: in each row a 1 for
the class that is told, and nothing but zeros where none is.

Rule: whatever else stands there does not pass, and ``classes`` only as the route declares them: in
an order of the server's they would tell which has the most votes.
"""

from collections.abc import Collection, Iterator
from typing import ClassVar, Final

from extproc.dialects.ballots import Ballot, Declared
from extproc.dialects.dialect import JsonDialect, Mistake, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.inputs import some
from extproc.dialects.problem import PROBLEM, problem
from extproc.dialects.request import Asked
from extproc.dialects.shape import Fault, Fields, Items, ModelName, Node
from extproc.dialects.teachers import Teachers, mistakes_of
from extproc.prediction import Query
from extproc.refusal import Refusal

_GATE: Final = Object({"model": PASS, "inputs": PASS})


class Votes(JsonDialect, frozen=True, tag="votes"):
    """Votes of an ensemble."""

    teachers: Teachers | None = None
    """How many members it has, each with one vote."""
    classes: tuple[str, ...] = ()
    """What they are called, in their order; none pass where none are declared."""

    ERRORS: ClassVar[str] = PROBLEM

    def mistakes(self, _parameters: Collection[str]) -> Iterator[Mistake]:
        """What cannot work."""
        return mistakes_of(("votes",), self.teachers)

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        inputs = some(admitted.read.get("inputs"), "inputs", list, dict, str, int, float)
        return Asked(
            Query(admitted.model, len(inputs)), admitted.body, inputs, {}, admitted.changed
        )

    def tree(self) -> Node:
        return Fields(
            {
                "model": ModelName(),
                "classes": Declared(self.classes),
                "votes": Items(Ballot(self.teachers, len(self.classes)), each=True),
                "error": Fault(),
            }
        )

    def error(self, refusal: Refusal) -> bytes:
        return problem(refusal)
