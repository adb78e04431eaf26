import pytest

from extproc.caps import Caps
from extproc.dialects import Status
from extproc.errors import ClientError
from extproc.incoming import Incoming
from extproc.policy import Policy
from extproc.refusal import TOO_LARGE, UNKNOWN_MODEL
from tests.playbook import ASK, policy


def reading(body: bytes, found: Policy, *, by: int = 7) -> Incoming:
    incoming = Incoming(found, {})
    for at in range(0, len(body), by):
        incoming.feed(body[at : at + by])
    assert incoming.held == len(body)
    return incoming


def test_a_request_is_read_when_all_of_it_is_here() -> None:
    incoming = reading(ASK, policy())
    _, asked = incoming.read()
    assert (asked.body, asked.query.model) == (ASK, "m")
    assert incoming.held == len(ASK), "whoever asked has it now"
    incoming.drop()
    assert incoming.held == 0


def test_a_body_may_be_as_large_as_its_cap_and_no_larger() -> None:
    incoming = reading(b"x" * 20, policy(caps=Caps(request=20)))
    with pytest.raises(ClientError) as raised:
        incoming.feed(b"x")
    assert raised.value.refusal == TOO_LARGE.because("The request body is larger than 20 bytes.")
    incoming.drop()
    assert incoming.held == 0


def test_a_model_that_the_policy_does_not_name_is_unknown() -> None:
    with pytest.raises(ClientError) as raised:
        reading(ASK, policy(models=("other",))).read()
    assert raised.value.refusal == UNKNOWN_MODEL


def test_health_asks_no_model() -> None:
    status = policy(Status(), models=("other",), route=("GET", "/v2/health/ready"))
    _, asked = Incoming(status, {}).read()
    assert asked.query.model == ""
