"""Keys made, revoked and replaced: what becomes of the file, and of who shows them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from extproc.config import Config, compile_table
from extproc.config.key_changes import append
from extproc.config.key_register import Register, hmac_key, register, state_of
from extproc.credentials import Proof
from extproc.errors import ConfigError
from extproc.events import CheckedRequest
from tests.config.example import ENVIRON, changed, loaded
from tests.config.test_key_file import KEY

NOW = datetime(2026, 3, 1, 12, 30, 15, 999, tzinfo=UTC)
DAY = timedelta(days=1)
ONE = "{keys: {kind: api_key, file: keys.jsonl}}"
TWO = "{a: {kind: api_key, file: a.jsonl}, b: {kind: api_key, file: b.jsonl}, c: {kind: api_key}}"


def config(folder: Path, credentials: str = ONE) -> Config:
    return loaded(folder, changed(("routes:\n", f"credentials: {credentials}\nroutes:\n")))


def registered(folder: Path) -> Register:
    return register(config(folder), environ=ENVIRON)


def proven(folder: Path, key: str, when: datetime = NOW) -> Proof | None:
    """What a sidecar that reads the file now says of a key."""
    table = compile_table(config(folder), ENVIRON)
    request = CheckedRequest("POST", "/", {"authorization": f"Bearer {key}"})
    found = table.provers["keys"].prove(request, when.timestamp())
    return found if isinstance(found, Proof) else None


def test_a_new_key_proves_its_tenant_and_is_in_the_file_as_a_hash_alone(tmp_path: Path) -> None:
    made = registered(tmp_path).issue("acme", NOW, note="for CI")
    assert proven(tmp_path, made.key) == Proof(f"key:{made.line.id}", 1, "acme")
    assert proven(tmp_path, made.key, NOW + 10_000 * DAY) is not None
    assert made.key.startswith(f"{made.line.prefix}-")
    assert made.line.prefix == f"xk-{made.line.id}"
    secret = made.key.removeprefix(made.line.prefix)
    assert secret not in (tmp_path / "keys.jsonl").read_text()
    assert secret not in repr(made)
    assert (made.line.created, made.line.note) == (NOW.replace(microsecond=0), "for CI")


def test_a_key_that_expires_works_until_then(tmp_path: Path) -> None:
    made = registered(tmp_path).issue("acme", NOW, 90 * DAY)
    end = made.line.expires
    assert end == (NOW + 90 * DAY).replace(microsecond=0)
    assert proven(tmp_path, made.key, end - timedelta(microseconds=1)) is not None
    assert proven(tmp_path, made.key, end) is None


def test_a_key_of_no_tenant_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        registered(tmp_path).issue("acmee", NOW)
    policy = f"{tmp_path}/policy.yaml"
    wrong = "24: tenants: there is no tenant 'acmee'; did you mean 'acme'?"
    assert str(caught.value) == f"{policy}:{wrong}"
    with pytest.raises(ConfigError, match="the note is malformed"):
        registered(tmp_path).issue("acme", NOW, note="two\nlines")
    assert not (tmp_path / "keys.jsonl").exists()


def test_a_revoked_key_proves_nothing_and_stays_revoked(tmp_path: Path) -> None:
    keys = registered(tmp_path)
    made, other = keys.issue("acme", NOW), keys.issue("beta", NOW)
    revoked = keys.revoke(made.line.id, NOW + DAY)
    assert revoked == structs.replace(made.line, revoked=(NOW + DAY).replace(microsecond=0))
    assert keys.revoke(made.line.id, NOW + 2 * DAY) == revoked
    assert list(keys.lines()) == [revoked, other.line]
    assert proven(tmp_path, made.key) is None
    assert proven(tmp_path, other.key) is not None


def test_a_rotated_key_works_beside_the_new_one_until_the_overlap_is_over(tmp_path: Path) -> None:
    keys = registered(tmp_path)
    old = keys.issue("acme", NOW, 90 * DAY, "for CI")
    later = NOW + 30 * DAY
    new = keys.rotate(old.line.id, later, 7 * DAY)
    assert new.key != old.key
    assert (new.line.tenant, new.line.note) == ("acme", "for CI")
    assert new.line.expires == (later + 90 * DAY).replace(microsecond=0)
    for key in (old.key, new.key):
        assert proven(tmp_path, key, later + 7 * DAY - timedelta(seconds=1)) is not None
    assert proven(tmp_path, old.key, later + 7 * DAY) is None
    assert proven(tmp_path, new.key, later + 7 * DAY) is not None


def test_no_overlap_lets_a_key_live_longer_than_it_would_have(tmp_path: Path) -> None:
    keys = registered(tmp_path)
    short, endless = keys.issue("acme", NOW, DAY), keys.issue("acme", NOW)
    keys.rotate(short.line.id, NOW, 7 * DAY)
    assert keys.rotate(endless.line.id, NOW, 7 * DAY).line.expires is None
    ends = {line.id: line.expires for line in keys.lines()}
    assert ends[short.line.id] == short.line.expires
    assert ends[endless.line.id] == (NOW + 7 * DAY).replace(microsecond=0)


def test_what_proves_nothing_is_not_rotated(tmp_path: Path) -> None:
    keys = registered(tmp_path)
    expired, revoked = keys.issue("acme", NOW, DAY), keys.issue("acme", NOW)
    keys.revoke(revoked.line.id, NOW)
    before = list(keys.lines())
    for made, state in ((expired, "expired"), (revoked, "revoked")):
        with pytest.raises(ConfigError) as caught:
            keys.rotate(made.line.id, NOW + DAY, DAY)
        wrong = f"the key '{made.line.id}' is {state}; make a new one with: extproc keys new"
        assert str(caught.value) == f"{tmp_path}/keys.jsonl: {wrong}"
    with pytest.raises(ConfigError, match="there is no key 'none'; see: extproc keys list"):
        keys.rotate("none", NOW, DAY)
    assert list(keys.lines()) == before


def test_a_key_is_revoked_where_the_secret_is_not(tmp_path: Path) -> None:
    made = registered(tmp_path).issue("acme", NOW)
    elsewhere = register(config(tmp_path), environ={})
    assert elsewhere.revoke(made.line.id, NOW).revoked is not None
    assert [line.id for line in elsewhere.lines()] == [made.line.id]
    with pytest.raises(ConfigError, match="the variable HMAC is not set"):
        elsewhere.issue("acme", NOW)
    assert hmac_key(config(tmp_path), ENVIRON) == ENVIRON["HMAC"].encode()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        list(registered(tmp_path).lines())
    wrong = "cannot be read (No such file or directory)"
    remedy = "make a key with: extproc keys new --tenant NAME"
    assert str(caught.value) == f"{tmp_path}/keys.jsonl {wrong}; {remedy}"


def test_a_credential_is_named_where_several_have_files(tmp_path: Path) -> None:
    several = config(tmp_path, TWO)
    append(register(several, "b").path, KEY)
    assert (tmp_path / "b.jsonl").exists()
    for name, message in (
        ("", "several have key files; name one: --credential a or b"),
        ("c", "'c' has no key file; write one of a, b"),
        ("keys", "'keys' has no key file; write one of a, b"),
    ):
        with pytest.raises(ConfigError) as caught:
            register(several, name)
        assert str(caught.value) == f"{tmp_path}/policy.yaml:6: credentials: {message}"
    with pytest.raises(ConfigError) as caught:
        register(loaded(tmp_path))
    assert str(caught.value).endswith(
        ":1: credentials: no key file is named; "
        "write credentials: {keys: {kind: api_key, file: keys.jsonl}}"
    )


def test_a_state_is_what_a_key_is_at_a_moment() -> None:
    expiring = structs.replace(KEY, expires=NOW)
    assert state_of(KEY, NOW) == "active"
    assert state_of(expiring, NOW - timedelta(microseconds=1)) == "active"
    assert state_of(expiring, NOW) == "expired"
    assert state_of(structs.replace(expiring, revoked=NOW + DAY), NOW - DAY) == "revoked"
