"""A request on its way in: kept until its body is whole, then read and judged.

Rule: nothing of it goes on before all of it has been read; what goes on is what was read.
"""

from collections.abc import Mapping

from extproc.dialects.request import Asked
from extproc.dialects.status import Status
from extproc.errors import ClientError
from extproc.policy import Policy
from extproc.refusal import TOO_LARGE, UNKNOWN_MODEL


class Incoming:
    """The body of one request."""

    def __init__(self, policy: Policy, parameters: Mapping[str, str]) -> None:
        self._policy, self._parameters = policy, parameters
        self._body = bytearray()

    @property
    def held(self) -> int:
        """Bytes kept."""
        return len(self._body)

    def feed(self, data: bytes) -> None:
        """Raise ClientError where the body is larger than the policy's cap."""
        cap = self._policy.caps.request
        if len(self._body) + len(data) > cap:
            raise ClientError(f"The request body is larger than {cap} bytes.", TOO_LARGE)
        self._body += data

    def read(self) -> Asked:
        """The whole body is here: what goes on, and what was asked.

        Raise ClientError where the dialect or the policy refuses it.
        """
        policy, body = self._policy, bytes(self._body)
        self.drop()
        asked = policy.route.dialect.read(body, self._parameters, policy.terms)
        model = asked.query.model
        # Health has no model.  Elsewhere an empty name is one: servers take it for their default.
        named = bool(model) or not isinstance(policy.route.dialect, Status)
        if named and not policy.permits(model):
            raise ClientError(UNKNOWN_MODEL.message, UNKNOWN_MODEL)
        policy.check_inputs(asked.query.inputs)
        return asked

    def drop(self) -> None:
        """Keep nothing more."""
        self._body = bytearray()
