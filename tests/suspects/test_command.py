"""The commands, against a control socket that is served beside them; and once all of it real."""

import io
import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from extproc.__main__ import main
from extproc._pb.grpc.health.v1.health_pb2 import HealthCheckResponse
from extproc.audit import Pseudonyms
from extproc.auditor.keys import new_pair
from extproc.auditor.verifying import verify
from extproc.detectors.calibration import seal
from extproc.server.detection.history import History
from extproc.server.detection.suspects import SuspectActs, Watched
from tests.auditor.test_command import Ended
from tests.detectors.questions import KEY
from tests.server.detection.findings import PERSON, finding
from tests.server.detection.test_calibrated import MADE
from tests.server.detection.watching import ACME, ALICE, BLOCK, Watch
from tests.server.test_app import Folder, serving
from tests.tenants.sidecar import Beside, beside

Command = Callable[..., Ended]


@pytest.fixture
def sidecar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beside]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EXTPROC_CONTROL", raising=False)
    with beside(Path("c.sock")) as found:
        watch(found, ACME, ALICE, BLOCK)
        yield found


def watch(sidecar: Beside, *watched: Watched) -> History:
    history = History()
    operator = sidecar.operator
    operator.acts.suspects = SuspectActs(Watch(*watched), history, wall=lambda: operator.now)
    return history


def alice(sidecar: Beside) -> str:
    return f"beta|{Pseudonyms(sidecar.operator.tables.now.table.key).principal(PERSON)}"


@pytest.fixture
def extproc(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    def run(*arguments: str) -> Ended:
        where = ("--control", f"unix://{tmp_path}/c.sock")
        monkeypatch.setattr(sys, "argv", ["extproc", *arguments, *where])
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        code = main()
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return run


def test_suspects_are_listed_the_most_suspicious_first(sidecar: Beside, extproc: Command) -> None:
    listed = extproc("suspects")
    assert (listed.returncode, listed.stderr) == (0, "")
    lines = [line.split()[:2] for line in listed.stdout.splitlines()[1:]]
    assert lines == [["acme", "0.93"], [alice(sidecar), "0.71"], ["cohort:block-7", "0.50"]]
    told = json.loads(extproc("suspects", "--output", "json").stdout)
    assert [each["suspicion"] for each in told] == [0.93, 0.71, 0.5]
    assert PERSON not in listed.stdout


def test_more_than_a_page_are_all_listed(sidecar: Beside, extproc: Command) -> None:
    watch(sidecar, *(Watched(f"t{number:03}", f"t{number:03}") for number in range(450)))
    told = json.loads(extproc("suspects", "--output", "json").stdout)
    assert [each["subject"] for each in told] == [f"t{number:03}" for number in range(450)]


def test_an_attack_is_followed_from_the_alert_to_the_evidence_to_the_end(
    sidecar: Beside, extproc: Command
) -> None:
    history = watch(sidecar, ACME, ALICE)
    history.found(finding(after="fidelity"))
    shown = extproc("suspects", "show", "acme")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "step:      fidelity until 2027-01-15 09:00Z" in shown.stdout
    assert "novelty   9.06" in shown.stdout
    done = extproc("suspects", "forgive", "acme")
    assert done.stdout == "acme is forgiven: it stands on no step, and is counted anew\n"
    after = json.loads(extproc("suspects", "show", "acme", "--output", "json").stdout)
    assert (after["step"], after["suspicion"], len(after["history"])) == ("", 0.0, 1)
    [told] = sidecar.operator.recorded()
    assert (told["act"], told["tenant"]) == ("suspect_forgive", "acme")


def test_what_an_operator_says_is_told_and_recorded(sidecar: Beside, extproc: Command) -> None:
    said = [
        extproc("suspects", "trust", "acme", "--for", "7d"),
        extproc("suspects", "freeze", alice(sidecar)),
        extproc("suspects", "freeze", "acme", "--for", "90m", "--output", "json"),
    ]
    assert [(one.returncode, one.stderr) for one in said] == [(0, "")] * 3
    assert said[0].stdout == "acme is trusted: it stands on no step until 2026-06-08 12:00Z\n"
    assert said[1].stdout.startswith(f"{alice(sidecar)} is frozen: every request of it is refused;")
    assert json.loads(said[2].stdout)["suspect"]["word_until"] == "2026-06-01T13:30:00Z"
    acts = [(line["act"], line["amount"]) for line in sidecar.operator.recorded()]
    assert acts == [
        ("suspect_trust", 604_800.0),
        ("suspect_freeze", None),
        ("suspect_freeze", 5400.0),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "nobody"), 4, "nothing is known of 'nobody'; those of whom there is: "),
        (("trust", "nobody"), 4, "nothing is known of 'nobody'; those of whom there is: "),
        (("trust", "acme", "--for", "soon"), 2, "--for is a time such as 90m, 12h or 7d"),
        (("trust", "acme", "--for", "9999d"), 2, "--for is a time such as 90m, 12h or 7d"),
        (("forgive",), 2, "SUBJECT"),
        (("forgive", "a" * 4201), 4, "this is no request: "),
    ],
)
def test_a_wrong_call_is_told(
    sidecar: Beside, extproc: Command, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = extproc("suspects", *arguments)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert message in ended.stderr
    assert sidecar.operator.recorded() == []


def test_what_is_not_known_to_hold_ends_with_1(sidecar: Beside, extproc: Command) -> None:
    acts = sidecar.operator.acts.suspects
    assert acts is not None
    down = Watch(ACME)
    down.down = True
    acts._watching = down
    ended = extproc("suspects", "freeze", "acme")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "the store of counters does not answer; whether it holds is not known\n"
    )


def test_where_nobody_watches_that_is_told(sidecar: Beside, extproc: Command) -> None:
    sidecar.operator.acts.suspects = None
    ended = extproc("suspects")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == "nobody is watched here; add detection to the policy file\n"


def test_tenants_tells_who_of_them_is_suspected(sidecar: Beside, extproc: Command) -> None:
    lines = [line.split() for line in extproc("tenants").stdout.splitlines()]
    assert lines[0][:2] == ["tenant", "suspicion"]
    assert lines[1][:3] == ["acme", "0.93", "fidelity"]
    assert lines[2][:2] == ["beta", "0.71"]
    assert "suspicion: 0.71: see extproc suspects" in extproc("tenants", "show", "beta").stdout


MORE = """\
control: unix://{path}/c
audit: {{path: audit.jsonl, key: "file:audit.pem"}}
detection:
  reference: calibration
  alerts: [{{url: "https://127.0.0.1:1/hooks", secret: "file:webhook"}}]
"""


@pytest.mark.slow
async def test_a_sidecar_that_runs_is_asked_and_does_what_it_is_told(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = Folder(tmp_path_factory.mktemp("x"))
    (folder.path / "audit.pem").write_bytes(new_pair()[0])
    (folder.path / "hmac").write_bytes(KEY)
    (folder.path / "webhook").write_bytes(b"whsec_" + b64encode(bytes(range(32))))
    (folder.path / "calibration").write_bytes(seal(MADE, KEY))
    folder.more = MORE.format(path=folder.path)

    def suspects(*arguments: str) -> str:
        command = [sys.executable, "-m", "extproc", "suspects", *arguments, "--policy"]
        command.append(str(folder.path / "policy.yaml"))
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    async with serving(folder) as process:
        assert await folder.status() == HealthCheckResponse.SERVING
        assert "acme is frozen" in suspects("freeze", "acme")
        assert "operator:  frozen" in suspects("show", "acme")
        assert 'extproc_alerts_total{outcome="delivered"} 0.0' in folder.told("/metrics")[1]
        process.terminate()
        _, err = process.communicate(timeout=30)
    told = [json.loads(line) for line in err.splitlines()]
    assert [line["act"] for line in told if line["message"] == "act"] == ["suspect_freeze"]
    report = verify([folder.path / "audit.jsonl"], [folder.path / "audit.pem"], None, live=False)
    assert (report.whole, report.acts) == (True, 1)
