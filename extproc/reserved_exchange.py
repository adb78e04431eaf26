"""An exchange whose request counts against budgets.

Rule: what it may cost is reserved when it has been read, and before any of it goes on; see
reservation.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from extproc import grpc_status
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
        self._sent = False
        """Whether some of the answer's body has left."""
        self._broke = False
        """Whether the model server failed as gRPC says so."""

    @property
    def reserving(self) -> Reserving | None:  # type: ignore[override]  # there it never changes
        """Nothing of an exchange that is over: what is refused meanwhile does not go on."""
        return self.reservation.wanted if self.state is not State.DONE else None

    @property
    def cost(self) -> Amounts:
        """What it took, once it is over."""
        return self.reservation.cost(self._ending())

    @property
    def spent(self) -> dict[str, float]:
        """The same, by the units of its budgets."""
        return self.reservation.spent(self.cost)

    def _know(self, asked: Asked) -> Iterator[bytes | None]:
        yield from super()._know(asked)
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
        refusal = self.reservation.answered(event)
        if refusal is not None:
            self.fault = self.reservation.limit
            return self.refuse(refusal)
        if self.reservation.lowered is not None:
            return self._afford(self._read_under(self.reservation.lowered), passed)
        return [] if self.reserving is not None else super()._afford(asked, passed)

    def _afford(self, asked: Asked, passed: _Passed) -> Sequence[Action]:
        self.reservation.ask(self._policy, asked)
        if self.reserving is None:
            return super()._afford(asked, passed)
        self._read = asked, passed
        return []


def _is_broken(status: str) -> bool:
    """Whether it is the model server that did, and not the request that it refused."""
    refusal = grpc_status.failure(status)
    return refusal is not None and refusal.status >= 500
