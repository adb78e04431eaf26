"""An exchange whose request body its sender signed.

Rule: a body that is not the one that was signed is refused as a credential that proves nothing is,
before any of it goes on; the cause is for the record.
"""

from collections.abc import Mapping, Sequence

from extproc.content_digest import BodyDigest
from extproc.events import Action, Event, Work
from extproc.exchange import Exchange
from extproc.policy import Policy
from extproc.refusal import FORGED


class SignedExchange(Exchange):
    """``digest`` is the ``Content-Digest`` that the body must have (RFC 9530)."""

    def __init__(self, policy: Policy, parameters: Mapping[str, str], digest: str) -> None:
        super().__init__(policy, parameters)
        self._signed = BodyDigest(digest)

    def receive(self, event: Event | Work) -> Sequence[Action]:
        if not self._signed.passes(event):
            return self.refuse(FORGED)
        return super().receive(event)
