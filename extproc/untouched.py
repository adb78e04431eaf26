"""A request that nobody decides about, or that is on trial and would have been denied: all of it
passes as it comes, and so does its answer.
"""

from collections.abc import Sequence

from extproc.constant_rate import Filler
from extproc.events import Action, Event, ResponseHeaders, Work
from extproc.exhaustion import Reserving
from extproc.limits import Reserved
from extproc.refusal import Refusal
from extproc.shadow import unchanged


class Untouched:
    done = True
    """At any time: nothing hangs on how the stream ends, since everything passes anyway."""
    held = 0
    working = False
    reserving: Reserving | None = None
    filler: Filler | None = None

    def __init__(self, outcome: str) -> None:
        self.outcome = outcome
        self.status = 0
        """The model server's, which the client gets."""

    def receive(self, event: Event | Work | Reserved) -> Sequence[Action]:
        if isinstance(event, ResponseHeaders):
            self.status = event.status
        return [] if isinstance(event, Work | Reserved) else [unchanged(event)]

    def refuse(self, _refusal: Refusal) -> Sequence[Action]:
        """Nothing is held of it that could be too much."""
        return []
