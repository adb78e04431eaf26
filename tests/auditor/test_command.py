"""The commands, on a log that the sidecar's own writer wrote."""

import io
import json
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from extproc.__main__ import main
from extproc.audit.signature import private_key
from extproc.auditor.command import _instant
from extproc.config import AuditPlan
from extproc.server.audit_log import AuditLog
from tests.audit.logs import act, enforced, record, suspected
from tests.test_main import POLICY


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Ended]


@pytest.fixture
def extproc(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line of this process: another would take a second to start."""

    def run(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["extproc", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main()
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return run


@pytest.fixture
def folder(tmp_path: Path, extproc: Command) -> Path:
    """A key, and a log of thirty records in several files."""
    made = extproc("audit", "key", str(tmp_path / "key"))
    assert made.returncode == 0, made.stderr
    assert str(tmp_path / "key.pub") in made.stdout
    key = private_key((tmp_path / "key").read_bytes())
    log = AuditLog(AuditPlan(tmp_path / "audit.jsonl", key, size=4000), pause=0.001)
    for number in range(30):
        log.add(record(number, model="m" if number % 3 else "x", inputs=1))
    log.close()
    return tmp_path


def logs(folder: Path) -> list[str]:
    return [str(path) for path in folder.glob("audit.jsonl*")]


def test_a_key_is_for_its_owner_alone_and_is_never_written_over(
    folder: Path, extproc: Command
) -> None:
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    before = (folder / "key").read_bytes()
    ended = extproc("audit", "key", str(folder / "key"))
    assert ended.returncode == 4
    assert ended.stderr == f"{folder}/key: File exists; choose a file that is not there\n"
    assert (folder / "key").read_bytes() == before


def test_a_log_that_is_whole_ends_with_0_and_one_that_is_not_with_1(
    folder: Path, extproc: Command
) -> None:
    command = ("audit", "verify", "--key", str(folder / "key.pub"))
    ended = extproc(*command, *logs(folder))
    assert ended.returncode == 0, ended.stderr
    assert "30 records: whole" in ended.stdout
    head = ended.stdout.splitlines()[-1].removeprefix("head: ")
    assert extproc(*command, "--known", head, *logs(folder)).returncode == 0
    log = folder / "audit.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    cut = extproc(*command, "--output", "json", *logs(folder))
    assert cut.returncode == 1
    assert [found["what"] for found in json.loads(cut.stdout)["findings"]] == ["cut"]
    assert extproc(*command, "--live", *logs(folder)).returncode == 0
    assert extproc(*command, "--live", "--known", head, *logs(folder)).returncode == 1


def test_a_head_that_is_none_is_a_wrong_call(folder: Path, extproc: Command) -> None:
    ended = extproc("audit", "verify", "--key", str(folder / "key"), "--known", "x", *logs(folder))
    assert ended.returncode == 2
    assert "NUMBER:HASH" in ended.stderr


def test_a_file_or_key_that_is_missing_ends_with_4(folder: Path, extproc: Command) -> None:
    for key, log in (("key", "gone"), ("gone", "audit.jsonl")):
        ended = extproc("audit", "verify", "--key", str(folder / key), str(folder / log))
        assert ended.returncode == 4
        assert ended.stderr.startswith(f"{folder}/gone: No such file")


def test_records_are_listed_summed_and_selected(folder: Path, extproc: Command) -> None:
    listed = extproc("audit", "query", *logs(folder), "--model", "x", "--since", "2026-01-31")
    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) == 11
    summed = extproc("audit", "query", *logs(folder), "--by", "model", "--output", "json")
    rows = json.loads(summed.stdout)["records"]
    assert [(row["model"], row["records"]) for row in rows] == [("m", 20), ("x", 10)]
    asked = extproc("audit", "query", *logs(folder), "--sql", "SELECT count(*) AS c FROM records")
    assert asked.stdout.split() == ["c", "30"]


@pytest.fixture
def policy(folder: Path) -> Path:
    (folder / "hmac").write_bytes(b"s" * 32)
    path = folder / "policy.yaml"
    audit = 'audit: {path: audit.jsonl, key: "file:key"}\n'
    path.write_text(POLICY.replace("PRINCIPAL", "0" * 64) + audit)
    return path


def test_what_records_call_a_person_is_known_to_who_has_the_key(
    policy: Path, extproc: Command
) -> None:
    person = "jwt:https://issuer.example|alice"
    told = extproc("audit", "pseudonym", "--policy", str(policy), stdin=f"{person}\n")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("principal: jwt:")
    assert "alice" not in told.stdout
    nobody = extproc("audit", "pseudonym", "--policy", str(policy), stdin="alice\n")
    assert nobody.returncode == 4
    assert nobody.stderr.startswith("this is no identity")


def test_a_policy_without_a_log_has_no_pseudonyms(policy: Path, extproc: Command) -> None:
    policy.write_text(policy.read_text().rpartition("audit:")[0])
    ended = extproc("audit", "pseudonym", "--policy", str(policy), stdin="jwt:a|b\n")
    assert ended.returncode == 4
    assert "it has no audit log" in ended.stderr


def test_a_policy_whose_log_cannot_be_signed_does_not_pass_the_check(
    policy: Path, extproc: Command
) -> None:
    assert extproc("check", str(policy)).returncode == 0
    (policy.parent / "key").unlink()
    ended = extproc("check", str(policy))
    assert ended.returncode == 4
    assert ended.stderr.endswith("make one with: extproc audit key FILE\n")


NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("", None),
        ("90m", "2026-01-31T10:30:00+00:00"),
        ("2h", "2026-01-31T10:00:00+00:00"),
        ("3d", "2026-01-28T12:00:00+00:00"),
        ("2026-01-01", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T05:00:00+02:00", "2026-01-01T05:00:00+02:00"),
    ],
)
def test_times_are_told_as_people_tell_them(text: str, instant: str | None) -> None:
    found = _instant(text, NOW)
    assert (found.isoformat() if found is not None else None) == instant


@pytest.mark.parametrize("text", ["yesterday", "0h", "5", "5w"])
def test_a_time_that_is_none_is_a_wrong_call(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        _instant(text, NOW)


def test_acts_of_operators_are_listed(folder: Path, extproc: Command) -> None:
    key = private_key((folder / "key").read_bytes())
    log = AuditLog(AuditPlan(folder / "audit.jsonl", key), pause=0.001)
    log.add(act(3600, act="grant", budget="daily", amount=2.5, unit="credits"))
    log.close()
    listed = extproc("audit", "acts", *logs(folder), "--tenant", "acme", "--since", "2026-01-31")
    assert listed.returncode == 0, listed.stderr
    assert "daily" in listed.stdout
    told = extproc("audit", "acts", *logs(folder), "--output", "json")
    [found] = json.loads(told.stdout)["records"]
    assert (found["who"], found["budget"], found["amount"]) == ("ops", "daily", 2.5)
    verified = extproc("audit", "verify", "--key", str(folder / "key.pub"), *logs(folder))
    assert "30 records, 1 act: whole" in verified.stdout


def test_which_policy_was_in_force_and_from_when_is_listed(folder: Path, extproc: Command) -> None:
    key = private_key((folder / "key").read_bytes())
    log = AuditLog(AuditPlan(folder / "audit.jsonl", key), pause=0.001)
    log.add(enforced(0, before="", cause="start"))
    log.add(enforced(3600))
    log.close()
    listed = extproc("audit", "policies", *logs(folder), "--output", "json")
    assert listed.returncode == 0, listed.stderr
    rows = json.loads(listed.stdout)["records"]
    assert [(row["policy"], row["before"], row["cause"]) for row in rows] == [
        ("two", "one", "files"),
        ("two", "", "start"),
    ]
    asked = "SELECT max(n) > min(n) FROM policies WHERE cause IN ('start', 'files')"
    assert "true" in extproc("audit", "query", *logs(folder), "--sql", asked).stdout.lower()
    verified = extproc("audit", "verify", "--key", str(folder / "key.pub"), *logs(folder))
    assert "30 records, 2 policies: whole" in verified.stdout


def test_what_was_found_of_suspects_is_listed(folder: Path, extproc: Command) -> None:
    key = private_key((folder / "key").read_bytes())
    log = AuditLog(AuditPlan(folder / "audit.jsonl", key), pause=0.001)
    log.add(suspected(3600, suspicion=0.97, evidence={"novelty": 9.0}))
    log.add(suspected(3601, subject="acme|key:1"))
    log.close()
    listed = extproc("audit", "suspected", *logs(folder), "--since", "2026-01-31")
    assert listed.returncode == 0, listed.stderr
    assert "novelty" in listed.stdout
    told = extproc("audit", "suspected", *logs(folder), "--subject", "acme", "--output", "json")
    [found] = json.loads(told.stdout)["records"]
    assert (found["suspicion"], found["after"]) == (0.97, "fidelity")
    verified = extproc("audit", "verify", "--key", str(folder / "key.pub"), *logs(folder))
    assert "30 records, 2 findings: whole" in verified.stdout
