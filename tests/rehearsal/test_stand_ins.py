from pathlib import Path

import pytest

from extproc.config import compile_table, load
from extproc.errors import ConfigError
from extproc.rehearsal.stand_ins import in_force, table_without_secrets, without_secrets
from extproc.rollout import WHOLE
from tests.rehearsal.example import FILE, example

CREDENTIALS = """\
credentials:
  keys: {kind: api_key, strength: 2, file: no-such-keys.jsonl}
  tokens:
    kind: introspection
    issuer: https://i.example
    audience: a
    url: https://i.example/x
    client_id: a
    client_secret: "file:no-such-file"
  signed:
    kind: signature
    keys:
      one: {tenant: acme, algorithm: hmac-sha256, secret: "file:no-such-file"}
      two: {tenant: acme, algorithm: ed25519, public_key: "file:partner-1.pem"}
  certificates: {kind: mtls, uris: {}}
audit: {path: audit.jsonl, key: "file:no-such-file", pseudonyms: "file:no-such-file"}
"""


def secretive(folder: Path) -> Path:
    (folder / "partner-1.pem").write_bytes((FILE.parent / "partner-1.pem").read_bytes())
    example(
        folder,
        ("credentials: {keys: {kind: api_key, strength: 2}}\n", CREDENTIALS),
        ('keys: {hmac: "env:EXTPROC_HMAC"}', 'keys: {hmac: "file:no-such-file"}'),
    )
    return folder / "policy.yaml"


def test_a_policy_can_be_asked_where_none_of_its_secrets_is(tmp_path: Path) -> None:
    config = load(secretive(tmp_path))
    with pytest.raises(ConfigError, match="no-such-file cannot be read"):
        compile_table(config, {})

    table = table_without_secrets(config)
    assert table.provers.keys() == {"keys", "tokens", "signed", "certificates"}
    assert "authorization" in table.credential_headers
    assert table.pseudonyms is not None


def test_all_else_is_as_the_policy_says() -> None:
    config = load(FILE)
    found = without_secrets(config)
    assert found.document is config.document
    assert found.settings.policies == config.settings.policies
    assert found.settings.credentials == config.settings.credentials


def test_what_is_drawn_is_drawn_alike_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    before = table_without_secrets(load(FILE))
    monkeypatch.setenv("EXTPROC_HMAC", "another")
    after = table_without_secrets(load(FILE))
    assert (before.key, before.version) == (after.key, after.version)


def test_a_policy_that_is_tried_is_in_force_for_all(tmp_path: Path) -> None:
    config = example(tmp_path, ("routes:\n", "rollout: {mode: shadow, percent: 5}\nroutes:\n"))
    assert any(each.shadow for each in table_without_secrets(config).policies.values())
    found = table_without_secrets(in_force(config))
    assert found.rollout == WHOLE
    assert not any(each.shadow for each in found.policies.values())
