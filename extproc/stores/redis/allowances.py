"""How many callers of each policy may be put on a step, by all replicas together.

Rule: the store says so, in the round trip that profiles are shared in, so that no more are put
there than may be, however many replicas ask at once; whoever is to be put on a step waits for that,
for a second or so.  While there is no store each replica has its part of the bound, of which the
store is told afterwards.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from extproc.allowances import Allowances
from extproc.stores.redis.wire import Word

ASKED: Final = 256
"""Callers that are asked for in one round trip; whoever finds no place asks again."""
TOLD: Final = 10_000
"""Of those who are put there while there is no store, those whom it will be told of."""
_Asked = tuple[str, str]
"""A policy, and a subject."""


class SharedAllowances:
    def __init__(self) -> None:
        self.put: Callable[[str], None] = lambda _: None
        """Told who may be put on a step now: is to ask again at once."""
        self.replicas = 1
        """How many there are, as far as is known."""
        self.away = False
        """Whether the store did not answer lately."""
        self._refused = 0
        self._own = Allowances()
        self._asked: dict[_Asked, int] = {}
        """Whom the store is asked for, with the bound; 0 of whom it is told."""
        self._sent: list[_Asked] = []
        self._allowed: _Asked | None = None

    @property
    def held_back(self) -> int:
        return self._refused + self._own.held_back

    def take(self, policy: str, hourly: int, subject: str, now: float) -> bool:
        asked = (policy, subject)
        if not hourly:
            return True
        if asked == self._allowed:
            return self._own.take(policy, hourly, subject, now)
        if self.away:
            share = max(1, hourly // self.replicas)
            if not self._own.take(policy, share, subject, now):
                return False
            if len(self._asked) < TOLD:
                self._asked[asked] = 0
            return True
        if len(self._asked) < ASKED:
            self._asked.setdefault(asked, hourly)
        return False

    def words(self) -> Iterator[Word]:
        """What the store is asked, and told."""
        self._sent = list(self._asked)[:ASKED]
        yield len(self._sent)
        for policy, subject in self._sent:
            yield from (policy, subject.encode(errors="surrogateescape"))
            yield self._asked[policy, subject]

    def answered(self, may: Sequence[int], replicas: int) -> Iterator[None]:
        """What the store says of each whom it was asked for; others may have their turn between."""
        self.away, self.replicas = False, max(1, replicas)
        for asked, allowed in zip(self._sent, may, strict=True):
            if not self._asked.pop(asked):
                continue
            self._refused += not allowed
            if allowed:
                self._allowed = asked
                self.put(asked[1])
                self._allowed = None
                yield
