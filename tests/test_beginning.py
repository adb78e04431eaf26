import pytest

from extproc.beginning import begin
from extproc.exchange import Exchange
from extproc.shadow import ShadowExchange
from extproc.signed_exchange import SignedExchange
from tests.playbook import policy


@pytest.mark.parametrize(
    ("shadow", "digest", "machine"),
    [
        (False, "", Exchange),
        (False, "sha-256=:AAAA:", SignedExchange),
        (True, "", ShadowExchange),
        (True, "sha-256=:AAAA:", ShadowExchange),
    ],
)
def test_a_policy_on_trial_changes_nothing_and_a_signed_body_is_checked(
    digest: str, machine: type, *, shadow: bool
) -> None:
    assert type(begin(policy(shadow=shadow), {}, digest)) is machine
