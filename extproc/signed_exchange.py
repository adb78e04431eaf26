"""An exchange whose request body its sender signed.

Rule: a body that is not the one that was signed is refused as a credential that proves nothing is,
before any of it goes on; the cause is for the record.
"""

from collections.abc import Mapping, Sequence

from extproc.content_digest import BodyDigest
from extproc.dialects.problem import UNROUTED
from extproc.events import Action, Event, Work
from extproc.limits import Reserved
from extproc.policy import Policy
from extproc.refusal import FORGED, Refusal
from extproc.reservation import NOBODY, Reservation
from extproc.reserved_exchange import ReservedExchange
from extproc.wording import Wording


class SignedExchange(ReservedExchange):
    """``digest`` is the ``Content-Digest`` that the body must have (RFC 9530)."""

    def __init__(
        self,
        policy: Policy,
        parameters: Mapping[str, str],
        digest: str,
        reservation: Reservation | None = None,
    ) -> None:
        super().__init__(policy, parameters, reservation or Reservation(NOBODY))
        self._signed = BodyDigest(digest)

    def _wording(self, refusal: Refusal) -> Wording:
        """Whoever turns out to be a stranger is answered as others are, who see no API."""
        stranger = refusal.cause is FORGED.cause and not self._grpc
        return UNROUTED if stranger else super()._wording(refusal)

    def receive(self, event: Event | Work | Reserved) -> Sequence[Action]:
        if not self._signed.passes(event):
            return self.refuse(FORGED)
        return super().receive(event)
