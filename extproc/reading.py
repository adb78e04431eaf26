"""A request's body, read under the terms of the model that it asks.

Rules: which terms hold may depend on the model, and which model is asked only a dialect can say; so
the body is read under the policy's own terms first, and where those refuse it, or are not that
model's, it is found out whose they are.  A model that is unknown is refused as such whatever else
is asked of it.  What the contract was to look at and has not does not go on.
"""

from collections.abc import Mapping

import msgspec

from extproc.cause import Cause
from extproc.dialects.gate import Json
from extproc.dialects.noted import Noted
from extproc.dialects.request import Asked
from extproc.dialects.status import Status
from extproc.entitlement import ALL
from extproc.errors import ClientError
from extproc.policy import Policy
from extproc.refusal import FEATURE_NOT_AVAILABLE, UNKNOWN_MODEL, UNSUPPORTED_MEDIA_TYPE
from extproc.validation import Contract


def read(policy: Policy, body: bytes, parameters: Mapping[str, str]) -> tuple[Policy, Asked]:
    """The request, and the policy of the model it asks.  Raise ClientError where it is refused."""
    policy, asked = _agreed(policy, body, parameters)
    policy.terms.entitlement.check(asked.query)
    if policy.route.contract is not None:
        policy.route.contract.check(asked)
    return policy, asked


def _agreed(policy: Policy, body: bytes, parameters: Mapping[str, str]) -> tuple[Policy, Asked]:
    try:
        asked = _asked(policy, body, parameters)
    except ClientError as error:
        if not policy.exceptions and error.refusal.code != FEATURE_NOT_AVAILABLE.code:
            raise
    else:
        applies = _applying(policy, asked.query.model)
        return applies, asked if applies is policy else _asked(applies, body, parameters)
    applies = _applying(policy, named(policy, body, parameters))
    return applies, _asked(applies, body, parameters)


def named(policy: Policy, body: bytes, parameters: Mapping[str, str]) -> str:
    """The model asked, by the first of the policy's terms under which a dialect tells it, when any
    feature is granted.  Raise the first ClientError where none does.
    """
    refused: list[ClientError] = []
    for other in (policy, *(each for _, each in policy.exceptions if each is not None)):
        terms = msgspec.structs.replace(other.terms, entitlement=ALL)
        try:
            return other.route.dialect.read(body, parameters, terms).query.model
        except ClientError as error:
            refused.append(error)
    raise refused[0]


def _applying(policy: Policy, model: str) -> Policy:
    # Health has no model.  Elsewhere an empty name is one: servers take it for their default.
    if not model and isinstance(policy.route.dialect, Status):
        return policy
    applies = policy.of(model)
    if applies is None:
        raise ClientError(UNKNOWN_MODEL.message, policy.unknown(model))
    return applies


def _asked(policy: Policy, body: bytes, parameters: Mapping[str, str]) -> Asked:
    dialect, contract = policy.route.dialect, policy.route.contract
    noted = Noted(watched=policy.watched)
    terms = msgspec.structs.replace(policy.terms, noted=noted)
    if contract is None or not contract.documents:
        return msgspec.structs.replace(dialect.read(body, parameters, terms), noted=noted)
    looked = _Look(contract)
    asked = dialect.read(body, parameters, msgspec.structs.replace(terms, check=looked))
    if not looked.done:
        unchecked = UNSUPPORTED_MEDIA_TYPE.called(Cause.MEDIA_TYPE_UNCHECKED)
        raise ClientError(unchecked.message, unchecked)
    return msgspec.structs.replace(asked, noted=noted)


class _Look:
    """The contract's look at a JSON body, and whether there was one: a dialect may read others."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.done = False

    def __call__(self, document: dict[str, Json]) -> None:
        self._contract.check_document(document)
        self.done = True
