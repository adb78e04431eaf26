"""A request on its way in: kept until its body is whole, then read and judged.

Rule: nothing of it goes on before all of it has been read; what goes on is what was read.
"""

from collections.abc import Mapping

from extproc.cause import Cause
from extproc.dialects.request import Asked
from extproc.errors import ClientError
from extproc.policy import Policy
from extproc.reading import read
from extproc.refusal import TOO_LARGE


class Incoming:
    """The body of one request."""

    def __init__(self, policy: Policy, parameters: Mapping[str, str]) -> None:
        self._policy, self._parameters = policy, parameters
        contract = policy.route.contract
        self._cap = min(policy.caps.request, contract.body) if contract else policy.caps.request
        self._body = bytearray()
        self._whole: bytes | None = None
        self.held = 0
        """Bytes kept, here or by whoever has read them and not dropped them."""

    def feed(self, data: bytes) -> None:
        """Raise ClientError where the body is larger than the policy's cap."""
        cap = self._cap
        if self.held + len(data) > cap:
            detail = f"The request body is larger than {cap} bytes."
            own = cap < self._policy.caps.request
            raise ClientError(detail, TOO_LARGE.called(Cause.INPUT_TOO_LARGE) if own else TOO_LARGE)
        self._body += data
        self.held += len(data)

    def read(self, policy: Policy | None = None) -> tuple[Policy, Asked]:
        """The whole body is here: what applies to the model it asks, and what goes on.

        Under another policy than that it came under, where one is given.  Raise ClientError where
        the dialect or the policy refuses it.
        """
        if self._whole is None:
            self._whole, self._body = bytes(self._body), bytearray()
        policy, asked = read(policy or self._policy, self._whole, self._parameters)
        policy.check_inputs(asked.query.inputs)
        return policy, asked

    def drop(self) -> None:
        """Keep nothing more."""
        self._body, self._whole = bytearray(), None
        self.held = 0
