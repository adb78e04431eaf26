import stat
from pathlib import Path

import pytest

from extproc.config import compile_table, load
from extproc.credentials.api_key import principal
from extproc.demo import policy_file
from extproc.demo.client import bearer
from extproc.demo.policy_file import TENANTS, TIERS, Issued
from extproc.envoyconf.settings import parse_address


@pytest.fixture
def issued(tmp_path: Path) -> Issued:
    return policy_file.issue(tmp_path, policy_file.template())


def test_every_key_is_that_of_its_tenant(issued: Issued) -> None:
    table = compile_table(load(issued.policy))
    for tenant in TENANTS:
        proven = principal(bearer(issued.keys[tenant]), table.key)
        assert proven is not None
        assert table.tenants[proven] == tenant


def test_every_tier_has_a_tenant_without_limits(issued: Issued) -> None:
    table = compile_table(load(issued.policy))
    owners = {key: tenant for tenant, key in issued.keys.items()}
    for tier in TIERS:
        policies = [
            policy
            for (tenant, _), policy in table.policies.items()
            if tenant == owners[issued.key_of(tier)]
        ]
        assert {policy.fidelity.name for policy in policies} == {tier}
        assert all(policy.limits == () and not policy.shadow for policy in policies)


def test_no_tier_grants_an_undeclared_output(issued: Issued) -> None:
    policies = compile_table(load(issued.policy)).policies.values()
    assert all("tensor" not in policy.edits for policy in policies)


def test_the_sidecar_listens_where_it_will_be_asked(issued: Issued) -> None:
    assert parse_address(load(issued.policy).listen) == issued.listen


def test_what_is_written_is_for_this_user_alone_and_holds_no_key(issued: Issued) -> None:
    for file in issued.policy.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert not any(key in file.read_text() for key in issued.keys.values())


def test_nobody_has_a_key_of_another_run(issued: Issued, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    again = policy_file.issue(tmp_path / "again", policy_file.template())
    assert set(issued.keys.values()).isdisjoint(again.keys.values())


def test_a_free_port_can_be_used() -> None:
    assert 1024 <= policy_file.free_port() < 65_536
