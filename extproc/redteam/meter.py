"""What an attack has spent so far, and how it was treated.

Rule: everything here was seen from outside.  That the gateway noticed something shows in what it
refuses and in how it answers a question that it has answered before.
"""

from collections import Counter
from dataclasses import dataclass, field

from extproc.redteam.form import Form
from extproc.redteam.request import Reply, Request


@dataclass(slots=True)
class Meter:
    """Counts; ``first_refusal`` is how many inputs had been answered when the first was refused."""

    queries: int = 0
    requests: int = 0
    refused: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    keys: set[int] = field(default_factory=set)
    first_refusal: int | None = None
    seconds: float = 0.0
    forms: list[Form] = field(default_factory=list)
    """Of the replies that were served, in the order of their requests."""

    def count(self, request: Request, reply: Reply) -> None:
        self.requests += 1
        self.statuses[reply.status] += 1
        if request.key is not None:
            self.keys.add(request.key)
        if reply.served:
            self.queries += request.queries
            return
        self.refused += request.queries
        if self.first_refusal is None:
            self.first_refusal = self.queries
