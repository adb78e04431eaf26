"""The commands, against a control socket that is served beside them; and once all of it real."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from extproc.__main__ import main
from extproc._pb.grpc.health.v1.health_pb2 import HealthCheckResponse
from extproc.accounts.messages import Failed
from extproc.auditor.keys import new_pair
from extproc.auditor.verifying import verify
from extproc.events import CheckedRequest
from tests.auditor.test_command import Ended
from tests.server.test_acts import DAILY, WEEK
from tests.server.test_app import Folder, serving
from tests.tenants.sidecar import Beside, beside
from tests.test_main import POLICY as TEMPLATE

POLICY = TEMPLATE.replace("PRINCIPAL", "a" * 64)
Command = Callable[..., Ended]


@pytest.fixture
def sidecar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beside]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EXTPROC_CONTROL", raising=False)
    with beside(Path("c.sock")) as found:
        yield found


@pytest.fixture
def tenants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command line of this process, told where the socket is unless that is given."""

    def run(*arguments: str, where: tuple[str, ...] | None = None) -> Ended:
        given = ("--control", f"unix://{tmp_path}/c.sock") if where is None else where
        monkeypatch.setattr(sys, "argv", ["extproc", "tenants", *arguments, *given])
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        code = main()
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return run


def test_all_tenants_are_listed(sidecar: Beside, tenants: Command) -> None:
    sidecar.spend(DAILY, "acme", 40_000)
    listed = tenants()
    assert (listed.returncode, listed.stderr) == (0, "")
    lines = [line.split() for line in listed.stdout.splitlines()]
    assert lines[1][:6] == ["acme", "daily/day", "40", "50", "credits", "80%"]
    assert lines[2][0] == "beta"
    told = json.loads(tenants("--output", "json").stdout)
    assert [holder["whom"] for holder in told] == [
        *("acme", "beta", "cohort:acme", "cohort:beta", "shared:"),
    ]


def test_one_tenant_is_shown(sidecar: Beside, tenants: Command) -> None:
    for number in range(3):
        sidecar.spend(WEEK, "acme", 10 + number, f"key:{number}")
    shown = tenants("show", "acme")
    assert shown.returncode == 0, shown.stderr
    assert "key:0" in shown.stdout
    assert "counts against cohort:acme too: ring" in shown.stdout
    told = json.loads(tenants("show", "acme", "--limit", "2", "--output", "json").stdout)
    assert ([row["subject"] for row in told["counters"]], told["more"]) == (["key:2", "key:1"], 1)


def test_an_operator_grants_resets_stops_and_lets_in(sidecar: Beside, tenants: Command) -> None:
    sidecar.spend(DAILY, "acme", 40_000)
    sidecar.spend(WEEK, "acme", 40, "key:abc")
    said = [
        tenants("grant", "acme", "daily", "10.5"),
        tenants("reset", "acme", "daily"),
        tenants("grant", "acme", "week", "7", "--subject", "key:a"),
        tenants("reset", "acme", "week", "--all"),
        tenants("freeze", "acme"),
        tenants("thaw", "acme"),
    ]
    assert [(one.returncode, one.stderr) for one in said] == [(0, "")] * 6
    assert [one.stdout for one in said] == [
        "granted 10.5 credits of daily, acme: 29.5 of 50 credits are spent\n",
        "reset daily, acme: 0 of 50 credits are spent\n",
        "granted 7 tokens of week, acme, key:abc: 33 of 1000 tokens are spent\n",
        "reset week of acme: 1 counter\n",
        "acme is stopped: every request of it is refused until it is thawed\n",
        "acme is let in again\n",
    ]
    assert [line["act"] for line in sidecar.operator.recorded()] == [
        *("grant", "reset", "grant", "reset", "freeze", "thaw"),
    ]


def test_an_act_may_be_told_as_json(sidecar: Beside, tenants: Command) -> None:
    told = json.loads(tenants("freeze", "acme", "--output", "json").stdout)
    assert (told["act"], told["whom"], told["audited"]) == ("freeze", "acme", False)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("freeze", "acm"), 4, "there is no tenant 'acm'; did you mean 'acme'?\n"),
        (("grant", "acme", "dialy", "1"), 4, "acme counts against no limit 'dialy' of its own; "),
        (("grant", "acme", "daily", "0"), 2, "an amount is above 0, and at most 1000000000000"),
        (("grant", "acme", "daily", "inf"), 2, "an amount is above 0, and at most 1000000000000"),
        (("grant", "acme", "daily", "x"), 2, "AMOUNT"),
        (("show", "acme", "--limit", "0"), 2, "--limit"),
        (("show",), 2, "TENANT"),
        (("show", "a" * 81), 4, "this is no request: "),
    ],
)
def test_a_wrong_call_is_told(
    sidecar: Beside, tenants: Command, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = tenants(*arguments)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert message in ended.stderr
    assert sidecar.operator.recorded() == []


def test_what_is_not_done_ends_with_1(
    sidecar: Beside, tenants: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> Failed:
        return Failed("refused", "the audit log cannot be written")

    monkeypatch.setattr(sidecar.operator.acts, "answer", refuse)
    ended = tenants("freeze", "acme")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "the audit log cannot be written\n"


def test_the_socket_may_be_named_before_the_command_behind_it_or_by_the_policy(
    sidecar: Beside, tenants: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control, policy = f"unix://{tmp_path}/c.sock", tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace("routes:", f"control: {control}\nroutes:", 1))
    assert tenants("--control", control, "show", "acme", where=()).returncode == 0
    assert tenants("--policy", str(policy), "show", "acme", where=()).returncode == 0
    assert tenants("show", "acme", where=("--policy", str(policy))).returncode == 0
    named = tenants("show", "acme", where=())
    assert (named.returncode, named.stdout) == (4, "")
    assert named.stderr == "which sidecar? name its --policy, or its --control socket\n"
    monkeypatch.setenv("EXTPROC_CONTROL", control)
    assert tenants("show", "acme", where=()).returncode == 0


def test_no_sidecar_is_told(tenants: Command, tmp_path: Path) -> None:
    ended = tenants(where=("--control", f"unix://{tmp_path}/gone.sock"))
    assert ended.returncode == 4
    assert ended.stderr == (
        f"{tmp_path}/gone.sock: no sidecar listens there; "
        "start it with: extproc serve --policy FILE\n"
    )


MORE = """\
control: unix://{path}/c
audit: {{path: audit.jsonl, key: "file:audit.pem"}}
limits:
  - {{name: each, per: principal, count: requests, max: 20, window: 1m}}
"""


async def test_a_sidecar_that_runs_is_asked_and_does_what_it_is_told(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = Folder(tmp_path_factory.mktemp("x"))
    (folder.path / "audit.pem").write_bytes(new_pair()[0])
    folder.more = MORE.format(path=folder.path)

    def tenants(*arguments: str) -> str:
        command = [sys.executable, "-m", "extproc", "tenants", *arguments, "--policy"]
        command.append(str(folder.path / "policy.yaml"))
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    async with serving(folder) as process, folder.envoy() as envoy:
        assert await folder.status() == HealthCheckResponse.SERVING
        stranger = CheckedRequest("POST", "/v1/chat/completions", {"x-api-key": "k" * 40})
        assert (await envoy.check(stranger)).denied_response.status.code == 401
        listed = json.loads(tenants("--output", "json"))
        assert [holder["whom"] for holder in listed] == ["acme"]
        assert "is stopped" in tenants("freeze", "acme")
        assert "(frozen)" in tenants()
        process.terminate()
        _, err = process.communicate(timeout=30)
    assert not (folder.path / "c").exists()
    told = [json.loads(line) for line in err.splitlines()]
    assert [line["act"] for line in told if line["message"] == "act"] == ["freeze"]
    report = verify([folder.path / "audit.jsonl"], [folder.path / "audit.pem"], None, live=False)
    assert report.whole
    assert (report.records, report.acts) == (1, 1)
