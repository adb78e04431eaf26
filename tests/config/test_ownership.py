"""The vault that a policy file names."""

from pathlib import Path

import pytest

from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.config import compile_audit
from extproc.config.ownership import VaultPlan
from extproc.config.vault_key import new_pair
from extproc.errors import ConfigError
from tests.config.example import ENVIRON, changed, loaded

AUDIT = 'audit: {path: audit.jsonl, key: "file:audit.pem"}\n'
VAULT = 'ownership: {vault: marks.vault, recipient: "file:vault.pub"}\n'
PUBLIC = new_pair()[1]


def plan(folder: Path, text: str, public: bytes = PUBLIC) -> VaultPlan | None:
    (folder / "audit.pem").write_bytes(new_signing_pair()[0])
    (folder / "vault.pub").write_bytes(public)
    found = compile_audit(loaded(folder, changed(("fidelities:", f"{text}fidelities:"))), ENVIRON)
    return found.vault if found is not None else None


def test_it_stands_beside_the_policy_file(tmp_path: Path) -> None:
    found = plan(tmp_path, AUDIT + VAULT)
    assert found is not None
    assert found.path == tmp_path / "marks.vault"
    assert (found.entries, found.queue) == (100_000, 1000)


def test_without_one_nothing_is_kept(tmp_path: Path) -> None:
    assert plan(tmp_path, AUDIT) is None
    assert plan(tmp_path, "") is None


def test_it_needs_an_audit_log_to_commit_in(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ownership: .*audit log; add audit, or remove this"):
        plan(tmp_path, VAULT)


@pytest.mark.parametrize("public", [new_pair()[0], new_signing_pair()[1], b"x" * 64])
def test_it_is_sealed_to_a_public_key_and_to_nothing_else(tmp_path: Path, public: bytes) -> None:
    """Planted: taking the public half of a private key leaves that on the machine."""
    with pytest.raises(ConfigError, match=r"ownership\.recipient: .*extproc keys vault FILE"):
        plan(tmp_path, AUDIT + VAULT, public)
