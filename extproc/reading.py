"""A request's body, read under the terms of the model that it asks.

Rules: which terms hold may depend on the model, and which model is asked only a dialect can say; so
the body is read under one model's terms after the other, until the terms and the model agree.  A
model that is unknown is refused before anything that is asked of it.  What no part of the contract
has looked at, though it was to, does not go on.
"""

from collections.abc import Iterator, Mapping

import msgspec

from extproc.dialects.gate import Json
from extproc.dialects.request import Asked
from extproc.dialects.status import Status
from extproc.errors import ClientError
from extproc.policy import Policy
from extproc.refusal import UNKNOWN_MODEL, UNSUPPORTED_MEDIA_TYPE
from extproc.validation import Contract


def read(policy: Policy, body: bytes, parameters: Mapping[str, str]) -> tuple[Policy, Asked]:
    """The request, and the policy of the model it asks.  Raise ClientError where it is refused."""
    policy, asked = _agreed(policy, body, parameters)
    policy.terms.entitlement.check(asked.query)
    if policy.route.contract is not None:
        policy.route.contract.check(asked)
    return policy, asked


def _agreed(policy: Policy, body: bytes, parameters: Mapping[str, str]) -> tuple[Policy, Asked]:
    first: ClientError | None = None
    for candidate in _candidates(policy):
        try:
            asked = _asked(candidate, body, parameters)
        except ClientError as error:
            first = first or error
            continue
        applies = _applying(policy, asked.query.model)
        if applies is candidate:
            return candidate, asked
        return applies, _asked(applies, body, parameters)
    assert first is not None  # there is always a candidate
    raise first


def _candidates(policy: Policy) -> Iterator[Policy]:
    yield policy
    for _, other in policy.exceptions:
        if other is not None:
            yield other


def _applying(policy: Policy, model: str) -> Policy:
    # Health has no model.  Elsewhere an empty name is one: servers take it for their default.
    if not model and isinstance(policy.route.dialect, Status):
        return policy
    applies = policy.of(model)
    if applies is None:
        raise ClientError(UNKNOWN_MODEL.message, UNKNOWN_MODEL)
    return applies


def _asked(policy: Policy, body: bytes, parameters: Mapping[str, str]) -> Asked:
    dialect, contract = policy.route.dialect, policy.route.contract
    if contract is None or not contract.documents:
        return dialect.read(body, parameters, policy.terms)
    looked = _Look(contract)
    asked = dialect.read(body, parameters, msgspec.structs.replace(policy.terms, check=looked))
    if not looked.done:
        raise ClientError(UNSUPPORTED_MEDIA_TYPE.message, UNSUPPORTED_MEDIA_TYPE)
    return asked


class _Look:
    """The contract's look at a JSON body, and whether there was one: a dialect may read others."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.done = False

    def __call__(self, document: dict[str, Json]) -> None:
        self._contract.check_document(document)
        self.done = True
