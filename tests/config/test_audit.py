from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from extproc.config import AuditPlan, compile_audit, compile_table
from extproc.errors import ConfigError
from tests.audit.logs import KEY
from tests.config.example import ENVIRON, TEXT, changed, loaded

PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
AUDIT = 'audit: {path: log/audit.jsonl, key: "env:KEY"%s}\n'
ENV = {**ENVIRON, "KEY": PEM, "NAMES": "n" * 32, "SHORT": "x", "WRONG": "w" * 32}


def planned(folder: Path, more: str = "") -> AuditPlan | None:
    return compile_audit(loaded(folder, TEXT + AUDIT % more), ENV)


def test_without_audit_there_is_no_log(tmp_path: Path) -> None:
    assert compile_audit(loaded(tmp_path), ENV) is None
    table = compile_table(loaded(tmp_path), ENV)
    assert table.pseudonyms is None
    assert not any(policy.audited for policy in table.policies.values())


def test_a_log_has_defaults_one_by_one(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert plan is not None
    assert plan.key.public_key() == KEY.public_key()
    assert plan == AuditPlan(tmp_path / "log" / "audit.jsonl", plan.key)


def test_a_log_is_as_the_file_says(tmp_path: Path) -> None:
    more = (
        ", checkpoint: {every: 5, within: 2s}, rotate: {size: 1MiB, age: 1h, keep: 7}"
        ", full: drop, queue: 99, fsync: always"
    )
    plan = planned(tmp_path, more)
    assert plan is not None
    assert plan == AuditPlan(
        tmp_path / "log" / "audit.jsonl",
        plan.key,
        every=5,
        within=2.0,
        size=1 << 20,
        age=3600.0,
        keep=7,
        refuse=False,
        queue=99,
        fsync="always",
    )


def test_a_path_may_be_anywhere(tmp_path: Path) -> None:
    plan = compile_audit(
        loaded(tmp_path, TEXT + AUDIT.replace("log/", "/var/log/") % ""),
        ENV,
    )
    assert plan is not None
    assert plan.path == Path("/var/log/audit.jsonl")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SHORT", "the secret has 1 bytes"),
        ("WRONG", "it is no private key in PEM, without a password"),
        ("GONE", "the variable GONE is not set"),
    ],
)
def test_a_key_that_cannot_sign_is_named_by_its_line(
    tmp_path: Path, name: str, message: str
) -> None:
    config = loaded(tmp_path, TEXT + AUDIT.replace("env:KEY", f"env:{name}") % "")
    with pytest.raises(ConfigError) as error:
        compile_audit(config, ENV)
    line = TEXT.count("\n") + 1
    assert str(error.value).startswith(f"{tmp_path}/policy.yaml:{line}: audit.key: {message}")
    assert name == "GONE" or str(error.value).endswith("make one with: extproc audit key FILE")


def epoch(folder: Path, *changes: tuple[str, str], more: str = "") -> str:
    config = loaded(folder, changed(*changes) + AUDIT % more)
    names = compile_table(config, ENV).pseudonyms
    assert names is not None
    return names.epoch


def test_pseudonyms_are_of_their_secret_and_of_the_key_epoch(tmp_path: Path) -> None:
    own = ', pseudonyms: "env:NAMES"'
    next_epoch = ('hmac: "env:HMAC"', 'hmac: "env:HMAC", epoch: 2')
    found = {
        epoch(tmp_path),
        epoch(tmp_path, next_epoch),
        epoch(tmp_path, more=own),
        epoch(tmp_path, next_epoch, more=own),
    }
    assert len(found) == 4
    assert epoch(tmp_path, ("k: 3", "k: 4")) in found


def test_policies_of_an_audited_file_are_audited(tmp_path: Path) -> None:
    table = compile_table(loaded(tmp_path, TEXT + AUDIT % ""), ENV)
    assert all(policy.audited for policy in table.policies.values())


@pytest.mark.parametrize(
    ("more", "place"),
    [
        (", full: open", "audit.full"),
        (", checkpoint: {every: 0}", "audit.checkpoint.every"),
        (", rotate: {keep: 0}", "audit.rotate.keep"),
        (", queue: 0", "audit.queue"),
        (", prompts: true", "audit"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, more: str, place: str) -> None:
    with pytest.raises(ConfigError, match=f": {place}"):
        planned(tmp_path, more)
