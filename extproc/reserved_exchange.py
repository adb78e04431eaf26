"""An exchange whose request counts against budgets.

Rule: what it may cost is reserved when it has been read, and before any of it goes on; see
reservation.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from extproc import grpc_status
from extproc.canonical import Steps
from extproc.dialects.request import Asked
from extproc.dialects.told import Told
from extproc.events import Action, Event, ResponseHeaders
from extproc.exchange import Exchange, State
from extproc.exhaustion import Reserving
from extproc.limits import Amounts, Reserved
from extproc.policy import Policy
from extproc.reservation import End, Reservation

_Passed = Callable[[Asked], Sequence[Action]]


class ReservedExchange(Exchange):
    """``reserving`` tells what is to be taken; then it is to ``receive`` Reserved, and nothing
    before that.
    """

    def __init__(
        self,
        policy: Policy,
        parameters: Mapping[str, str],
        reservation: Reservation,
    ) -> None:
        super().__init__(policy, parameters)
        self.reservation = reservation
        self._read: tuple[Asked, _Passed] | None = None
        """What goes on once it is reserved."""
        self._recalling: Reserving | None = None
        """What is asked first: what was told of its inputs before."""
        self._inputs: tuple[Asked, Sequence[bytes]] | None = None
        """Their digests."""
        self._keys: tuple[bytes, ...] = ()
        """Under what the answers to them are remembered."""
        self._sent = False
        """Whether some of the answer's body has left."""
        self._broke = False
        """Whether the model server failed as gRPC says so."""

    @property
    def reserving(self) -> Reserving | None:  # type: ignore[override]  # there it never changes
        """Nothing of an exchange that is over: what is refused meanwhile does not go on."""
        wanted = self._recalling or self.reservation.wanted
        return wanted if self.state is not State.DONE else None

    @property
    def cost(self) -> Amounts:
        """What it took, once it is over."""
        return self.reservation.cost(self._ending())

    @property
    def spent(self) -> dict[str, float]:
        """The same, by the units of its budgets."""
        return self.reservation.spent(self.cost)

    @property
    def memos(self) -> Mapping[bytes, int]:
        """What it was the first to tell privately, if any of that has left: see Memos."""
        paid = self.reservation.paid
        return paid.made if paid is not None and self._ending().left else {}

    def _digested(self, asked: Asked) -> Steps[Sequence[bytes]]:
        """Once, though they are wanted before it goes on, and to rewrite its answer by."""
        if self._inputs is None or self._inputs[0] is not asked:
            self._inputs = asked, (yield from super()._digested(asked))
        return self._inputs[1]

    def _know(self, asked: Asked) -> Iterator[bytes | None]:
        yield from super()._know(asked)
        assert self._run is not None
        self._run.told.paid = self.reservation.paid
        self._own = {**self._own, **self.reservation.fields()}

    def _ending(self) -> End:
        run, left = self._run, self._sent or self.outcome in {"served", "cut"}
        return End(
            went_on=run is not None,
            failed=(self._upstream >= 500 or self._broke) and not left,
            served=self.outcome == "served",
            left=left,
            told=run.told if run is not None else Told(),
        )

    def _send(self, *, end: bool) -> list[Action]:
        self._sent = True
        return super()._send(end=end)

    def _trailers_only(self, event: ResponseHeaders, remove: tuple[str, ...]) -> Sequence[Action]:
        self._broke = _is_broken(event.headers.get("grpc-status", ""))
        return super()._trailers_only(event, remove)

    def _failed(self, status: str, removed: tuple[str, ...]) -> Sequence[Action]:
        self._broke = _is_broken(status)
        return super()._failed(status, removed)

    def _advance(self, event: Event | Reserved) -> Sequence[Action]:
        if not isinstance(event, Reserved):
            return super()._advance(event)
        assert self._read is not None
        asked, passed = self._read
        if self._recalling is not None:
            self._recalling = None
            return self._ask(asked, passed, event.recalled)
        refusal = self.reservation.answered(event)
        if refusal is not None:
            self.fault = self.reservation.limit
            return self.refuse(refusal)
        if self.reservation.lowered is not None:
            return self._afford(self._read_under(self.reservation.lowered), passed)
        return [] if self.reserving is not None else super()._afford(asked, passed)

    def _afford(self, asked: Asked, passed: _Passed) -> Sequence[Action]:
        self._keys = ()
        if self._policy.remembers:
            return self._go_on(self._recall(asked), partial(self._recalled, asked, passed))
        return self._ask(asked, passed)

    def _recall(self, asked: Asked) -> Iterator[bytes | None]:
        yield from self._digested(asked)

    def _recalled(self, asked: Asked, passed: _Passed) -> Sequence[Action]:
        assert self._inputs is not None
        caller = self.reservation.caller(self._policy, asked)
        self._keys = self._policy.memos(*self._inputs, caller)
        if not self._keys:
            return self._ask(asked, passed)
        self._read, self._recalling = (asked, passed), Reserving((), recall=self._keys)
        return []

    def _ask(
        self, asked: Asked, passed: _Passed, recalled: Sequence[int | None] = ()
    ) -> Sequence[Action]:
        policy = self._policy
        self.reservation.ask(policy, asked, policy.paid(asked, self._keys, recalled))
        if self.reserving is None:
            return super()._afford(asked, passed)
        self._read = asked, passed
        return []


def _is_broken(status: str) -> bool:
    """Whether it is the model server that did, and not the request that it refused."""
    refusal = grpc_status.failure(status)
    return refusal is not None and refusal.status >= 500
