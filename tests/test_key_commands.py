"""``extproc keys``, run as a user runs it."""

import hmac
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from extproc import key_commands
from extproc.__main__ import main
from extproc.marks.entry import private_key, recipient
from tests.test_main import ROOT, extproc, within

POLICY = """\
version: 1
listen: unix:///run/extproc/extproc.sock
health: 127.0.0.1:9101
keys: {hmac: "file:hmac"}
credentials: {keys: {kind: api_key, file: keys.jsonl}}
routes: [{path: /v1/embeddings, dialect: openai_embeddings}]
fidelities: {standard: {embedding: [{kind: quantize, bits: 8}]}}
policies: {partner: {models: ["text-*"], fidelity: standard}}
tenants: {acme: {policy: partner}, beta: {policy: partner}}
"""
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    (tmp_path / "hmac").write_bytes(b"s" * 32)
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    return file


class Ended:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def keys(policy: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line in this process, which starts quicker than one of its own."""

    def run(*arguments: str) -> Ended:
        command = ["extproc", "keys", *arguments, "--policy", str(policy)]
        monkeypatch.setattr(sys, "argv", command)
        code = main()
        sys.stdout.flush()
        return Ended(code, *capfd.readouterr())

    return run


def made(keys: Any, *arguments: str) -> dict[str, str]:
    ended = keys("new", *arguments, "--output", "json")
    assert (ended.code, ended.err) == (0, "")
    found: dict[str, str] = json.loads(ended.out)
    return found


def listed(keys: Any, *arguments: str) -> list[dict[str, str | None]]:
    ended = keys("list", *arguments, "--output", "json")
    assert (ended.code, ended.err) == (0, "")
    found: list[dict[str, str | None]] = json.loads(ended.out)
    return found


def test_a_new_key_is_shown_once_with_all_there_is_to_know(policy: Path) -> None:
    ended = extproc(
        *("keys", "new", "--policy", str(policy), "--tenant", "acme"),
        *("--expires", "90d", "--note", "CI"),
    )
    assert ended.returncode == 0, ended.stderr
    told = dict(re.split(r":\s+", line, maxsplit=1) for line in ended.stdout.splitlines())
    assert re.fullmatch(rf"{told['prefix']}-[A-Za-z0-9_-]{{43}}", told["key"])
    assert told["prefix"] == f"xk-{told['id']}"
    assert re.fullmatch(TIME, told["expires"])
    assert (told["tenant"], told["file"]) == ("acme", str(policy.parent / "keys.jsonl"))
    again = within("keys", "list", "--policy", str(policy))
    assert again.returncode == 0
    assert told["id"] in again.stdout
    assert told["key"] not in again.stdout
    assert (policy.parent / "keys.jsonl").read_text().count("\n") == 1


def test_a_list_tells_of_each_key_what_it_is_and_not_its_hash(keys: Any, policy: Path) -> None:
    first = made(keys, "--tenant", "acme", "--expires", "90d", "--note", "CI")
    second = made(keys, "--tenant", "beta")
    rows = listed(keys)
    assert [row["id"] for row in rows] == [first["id"], second["id"]]
    assert list(rows[0]) == ["id", "prefix", "tenant", "created", "expires", "state", "note"]
    assert rows[0] | {"created": ""} == {
        "id": first["id"],
        "prefix": first["prefix"],
        "tenant": "acme",
        "created": "",
        "expires": first["expires"],
        "state": "active",
        "note": "CI",
    }
    assert (rows[1]["expires"], rows[1]["note"]) == (None, None)
    assert [row["id"] for row in listed(keys, "--tenant", "beta")] == [second["id"]]
    assert listed(keys, "--tenant", "gamma") == []
    table = keys("list").out.splitlines()
    assert table[0].split() == ["id", "prefix", "tenant", "created", "expires", "state", "note"]
    assert [line.split()[0] for line in table[1:]] == [first["id"], second["id"]]
    hashes = re.findall(r'"hash":"(\w{64})"', (policy.parent / "keys.jsonl").read_text())
    assert len(hashes) == 2
    assert [each for each in hashes if each[:16] in "".join([*table, json.dumps(rows)])] == []


def test_a_leaked_key_is_found_by_as_much_of_it_as_there_is(keys: Any) -> None:
    leaked, other = made(keys, "--tenant", "acme"), made(keys, "--tenant", "acme")
    for text in (leaked["key"], leaked["key"][:20], leaked["prefix"], leaked["prefix"][:9]):
        assert [row["id"] for row in listed(keys, "--prefix", text)] == [leaked["id"]]
    assert {row["id"] for row in listed(keys, "--prefix", "xk-")} == {leaked["id"], other["id"]}
    assert listed(keys, "--prefix", "xk-none") == []


def test_a_key_is_revoked_by_its_id_however_often(keys: Any) -> None:
    key = made(keys, "--tenant", "acme")
    first = keys("revoke", key["id"], "--output", "json")
    told = json.loads(first.out)
    assert (first.code, told["revoked"], told["tenant"]) == (0, key["id"], "acme")
    assert re.fullmatch(TIME, told["at"])
    assert json.loads(keys("revoke", key["id"], "--output", "json").out) == told
    assert listed(keys)[0]["state"] == "revoked"


def test_a_key_is_rotated_with_an_overlap(keys: Any) -> None:
    old = made(keys, "--tenant", "acme", "--note", "CI")
    ended = keys("rotate", old["id"], "--overlap", "7d")
    assert ended.code == 0
    rows = listed(keys)
    assert [row["state"] for row in rows] == ["active", "active"]
    assert rows[0]["expires"] is not None
    assert (rows[1]["expires"], rows[1]["note"], rows[1]["tenant"]) == (None, "CI", "acme")
    assert f"key:     xk-{rows[1]['id']}-" in ended.out
    assert "expires: never" in ended.out


def test_without_a_tenant_the_principal_is_for_the_policys_own_list(
    keys: Any, policy: Path
) -> None:
    told = made(keys)
    assert list(told) == ["key", "principal"]
    hashed = within("keys", "hash", "--policy", str(policy), stdin=f"{told['key']}\n")
    assert hashed.stdout.strip() == told["principal"]
    assert not (policy.parent / "keys.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("new", "--tenant", "acmee"), 4, "there is no tenant 'acmee'; did you mean 'acme'?"),
        (("new", "--expires", "90d"), 4, "name it: --tenant NAME"),
        (("new", "--tenant", "acme", "--expires", "90"), 2, "write a duration such as 90d or 12h"),
        (("new", "--tenant", "acme", "--note", "n" * 121), 4, "the note is malformed"),
        (("new", "--tenant", "acme", "--credential", "key"), 4, "'key' has no key file"),
        (("list",), 4, "make a key with: extproc keys new --tenant NAME"),
        (("revoke", "none"), 4, "cannot be changed (No such file or directory)"),
        (("rotate", "none", "--overlap", "7d"), 4, "cannot be changed (No such file"),
        (("rotate", "none"), 2, "Missing option"),
        (("rotate", "none", "--overlap", "soon"), 2, "write a duration such as 90d or 12h"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    keys: Any, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = keys(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err
    assert code == 2 or ended.err.count("\n") == 1


def test_a_line_that_is_no_key_is_named_by_every_command(keys: Any, policy: Path) -> None:
    key = made(keys, "--tenant", "acme")
    file = policy.parent / "keys.jsonl"
    file.write_text(f"{file.read_text()}{{}}\n")
    for command in (("list",), ("revoke", key["id"]), ("rotate", key["id"], "--overlap", "1d")):
        ended = keys(*command)
        assert ended.code == 4
        assert f"{file}:2: id: missing; add it" in ended.err
    assert within("check", str(policy)).stderr == f"{file}:2: id: missing; add it\n"


def test_who_reads_a_list_may_stop_reading(keys: Any, policy: Path) -> None:
    made(keys, "--tenant", "acme")
    file = policy.parent / "keys.jsonl"
    file.write_text(file.read_text() * 3000)  # listed, though it would not be loaded
    command = [sys.executable, "-m", "extproc", "keys", "list", "--policy", str(policy)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    ) as ran:
        assert ran.stdout is not None
        assert ran.stderr is not None
        assert ran.stdout.readline().startswith("id ")
        ran.stdout.close()
        assert ran.stderr.read() == ""
    assert ran.returncode == 0


def test_commands_are_told_by_their_help() -> None:
    names = [command.name for command in key_commands.keys.registered_commands]
    assert names == ["new", "list", None, None, "hash", "vault"]


def test_a_key_of_a_vault_is_made_once_and_its_private_half_is_its_owners(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "vault.pem"
    monkeypatch.setattr(sys, "argv", ["extproc", "keys", "vault", str(file)])
    assert main() == 0
    assert capfd.readouterr().out == f"private: {file}\npublic:  {file}.pub\n"
    public = (tmp_path / "vault.pem.pub").read_bytes()
    assert private_key(file.read_bytes()).public_key() == recipient(public)
    assert file.stat().st_mode & 0o777 == 0o600
    assert main() == 4
    assert "choose a file that is not there" in capfd.readouterr().err
    file.unlink()  # it belongs elsewhere
    assert main() == 4
    assert "vault.pem.pub: File exists; choose" in capfd.readouterr().err
    assert not file.exists()
    assert (tmp_path / "vault.pem.pub").read_bytes() == public


def test_the_base_file_says_under_which_secret_keys_are_made(
    policy: Path, keys: Any, tmp_path: Path
) -> None:
    (tmp_path / "other").write_bytes(b"t" * 32)
    base = tmp_path / "base.yaml"
    base.write_text('version: 1\noverrides: {keys: {hmac: "file:other"}}\n')
    found = keys("new", "--tenant", "acme", "--output", "json", "--base", str(base))
    key = json.loads(found.out)["key"]
    hashes = {json.loads(line)["hash"] for line in (tmp_path / "keys.jsonl").read_text().split()}
    assert hmac.digest(b"t" * 32, key.encode(), "sha256").hex() in hashes
