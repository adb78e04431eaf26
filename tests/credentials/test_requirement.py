from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from extproc.cause import Cause
from extproc.credentials import ANY, Needed, Once, Proof, Prover, Requirement, Weak, authenticate
from extproc.events import CheckedRequest

REQUEST = CheckedRequest("POST", "/", {})
OWNERS = {"mtls:acme": "acme", "mtls:beta": "beta"}


@dataclass
class Saying:
    """A prover that says the same of every request."""

    said: Proof | Needed | Cause
    headers: tuple[str, ...] = ()

    def prove(self, request: CheckedRequest, now: float) -> Proof | Needed | Cause:
        return self.said


KEY = Proof("key:1", 1, "acme")
OTHER = Proof("key:2", 1, "beta")
TOKEN = Proof("jwt:i|s", 2, "acme")
MESH = Proof("mtls:acme", 3)
STRANGER = Proof("mtls:nobody", 3)
ASK = Needed("tokens", "s3cret")


def found(
    requirement: Requirement, **said: Proof | Needed | Cause
) -> Proof | Weak | Needed | Cause:
    provers: Mapping[str, Prover] = {name: Saying(each) for name, each in said.items()}
    return authenticate(REQUEST, requirement, provers, OWNERS, 0.0)


def proven(requirement: Requirement, **said: Proof | Needed | None) -> Proof | Weak | Needed | None:
    """None stands for a credential that is not there."""
    absent = Cause.CREDENTIAL_MISSING
    answer = found(requirement, **{name: each or absent for name, each in said.items()})
    return None if isinstance(answer, Cause) else answer


def test_any_credential_will_do_where_nothing_else_is_said() -> None:
    assert proven(ANY, keys=KEY, tokens=None) == KEY
    assert proven(ANY, keys=None, tokens=TOKEN) == TOKEN
    assert proven(ANY, keys=None, tokens=None) is None


def test_the_policy_says_whose_a_principal_is_where_the_credential_does_not() -> None:
    assert proven(ANY, mesh=MESH) == Proof("mtls:acme", 3, "acme")
    assert proven(ANY, mesh=STRANGER) is None


def test_the_strongest_proof_names_the_principal_and_the_first_of_equals() -> None:
    assert proven(ANY, keys=KEY, tokens=TOKEN) == TOKEN
    assert proven(ANY, tokens=TOKEN, keys=KEY) == TOKEN
    again = Proof("key:9", 1, "acme")
    assert proven(ANY, keys=KEY, others=again) == KEY


def test_a_request_that_proves_two_tenants_proves_none() -> None:
    assert proven(ANY, keys=OTHER, tokens=TOKEN) is None
    assert proven(Requirement(all_of=("keys", "tokens")), keys=OTHER, tokens=TOKEN) is None


def test_only_the_credentials_that_a_route_names_count() -> None:
    assert proven(Requirement(any_of=("tokens",)), keys=KEY, tokens=None) is None
    assert proven(Requirement(any_of=("keys",)), keys=KEY, tokens=OTHER) == KEY


@pytest.mark.parametrize(
    ("keys", "tokens"), [(KEY, None), (None, TOKEN), (None, None), (KEY, STRANGER)]
)
def test_all_of_them_are_needed_where_the_route_says_so(
    keys: Proof | None, tokens: Proof | None
) -> None:
    together = Requirement(all_of=("keys", "tokens"))
    assert proven(together, keys=keys, tokens=tokens) is None
    assert proven(together, keys=KEY, tokens=TOKEN) == TOKEN


def test_all_of_some_and_one_of_others() -> None:
    both = Requirement(any_of=("keys", "tokens"), all_of=("mesh",))
    owned = Proof("mtls:acme", 3, "acme")
    assert proven(both, keys=KEY, tokens=None, mesh=MESH) == owned
    assert proven(both, keys=None, tokens=None, mesh=MESH) is None
    assert proven(both, keys=KEY, tokens=None, mesh=None) is None


def test_a_proof_that_is_not_strong_enough_is_told_from_none() -> None:
    strong = Requirement(strength=2)
    assert proven(strong, keys=KEY, tokens=TOKEN) == TOKEN
    assert proven(strong, keys=KEY, tokens=None) == Weak(KEY)
    assert proven(strong, keys=None, tokens=None) is None


def test_an_issuer_is_asked_only_where_nothing_else_proves_enough() -> None:
    assert proven(ANY, keys=KEY, tokens=ASK) == KEY
    assert proven(ANY, keys=None, tokens=ASK) == ASK
    assert proven(Requirement(all_of=("keys", "tokens")), keys=KEY, tokens=ASK) == ASK


def test_what_was_signed_holds_whichever_proof_names_the_principal() -> None:
    once = Once("n", 1.0, 2.0)
    signed = Proof("sig:1", 1, "acme", digest="sha-256=:AA==:", once=once)
    for said in ({"keys": TOKEN, "signed": signed}, {"signed": signed, "keys": TOKEN}):
        proof = proven(Requirement(all_of=("keys", "signed")), **said)
        assert proof == Proof("jwt:i|s", 2, "acme", digest="sha-256=:AA==:", once=once)
    assert proven(ANY, keys=KEY, signed=signed) == Proof(
        "key:1", 1, "acme", digest=signed.digest, once=once
    )
    assert proven(Requirement(any_of=("keys",)), keys=KEY, signed=signed) == KEY


def test_what_is_to_be_asked_about_does_not_show() -> None:
    assert "s3cret" not in repr(ASK)


def test_the_record_is_told_why() -> None:
    unknown, old = Cause.KEY_UNKNOWN, Cause.TOKEN_EXPIRED
    assert found(ANY, keys=unknown, tokens=old) is old
    assert found(ANY, tokens=old, keys=unknown) is old
    assert found(ANY, mesh=STRANGER) is Cause.PRINCIPAL_UNLISTED
    assert found(ANY, keys=OTHER, tokens=TOKEN) is Cause.TENANTS_DIFFER
    both = Requirement(all_of=("keys", "tokens"))
    assert found(both, keys=KEY, tokens=old) is old
    assert found(both, keys=KEY, tokens=Cause.CREDENTIAL_MISSING) is Cause.CREDENTIAL_MISSING
    assert found(ANY, keys=KEY, tokens=old) == KEY
