"""``extproc privacy`` against a control socket that is served beside it."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from extproc.__main__ import main
from extproc.mutators import NoisyMax
from extproc.privacy import capacity
from tests.auditor.test_command import Ended
from tests.config.example import ENVIRON
from tests.privacy.ledger import BUDGET, table, text
from tests.tenants.sidecar import Beside, beside

EACH = NoisyMax(noise="gaussian", scale=40.0).cost().gdp
ROOM = capacity(2.0, 1e-5)
Command = Callable[..., Ended]
TOTAL = "budgets: [{name: all, count: privacy, epsilon: 1, delta: 1e-5, per: model}]\n"


@pytest.fixture
def sidecar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beside]:
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    policy = text(more=f"control: unix://{tmp_path}/c.sock\n{TOTAL}")
    with beside(Path("c.sock"), of=table(tmp_path, policy)) as found:
        yield found


@pytest.fixture
def privacy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    def run(*arguments: str) -> Ended:
        given = ("--policy", f"{tmp_path}/policy.yaml")
        monkeypatch.setattr(sys, "argv", ["extproc", "privacy", *given, *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        code = main()
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return run


def spend(sidecar: Beside, tenant: str, amount: int) -> None:
    [shared, own] = sidecar.operator.tables.now.table.policies[tenant, "POST /votes"].reserved
    sidecar.spend(own, tenant, amount)
    sidecar.spend(shared, "", amount, "zoo")


def test_the_ledger_is_shown(sidecar: Beside, privacy: Command) -> None:
    spend(sidecar, "acme", 20 * EACH)
    spend(sidecar, "beta", 10 * EACH)
    told = privacy("--output", "json")
    assert (told.returncode, told.stderr) == (0, "")
    found = {(each["whom"], each["subject"]): each for each in json.loads(told.stdout)}
    assert {of: each["answers"] for of, each in found.items()} == {
        ("acme", ""): ROOM // EACH - 20,
        ("beta", ""): ROOM // EACH - 10,
        ("shared:", "zoo"): capacity(1.0, 1e-5) // EACH - 30,
    }
    lines = privacy().stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["shared:", "acme", "beta"]


def test_a_change_and_a_day_are_reckoned_with(
    sidecar: Beside, privacy: Command, tmp_path: Path
) -> None:
    spend(sidecar, "acme", 20 * EACH)
    other = tmp_path / "other.yaml"
    other.write_text(text(BUDGET.replace("epsilon: 2", "epsilon: 4")))
    told = privacy("--change", str(other), "--since", "2026-01-01", "--output", "json")
    [shared, own] = json.loads(told.stdout)
    assert own["changed"] == capacity(4.0, 1e-5) // EACH - 20
    assert shared["changed"] is None
    assert own["days"] > 0


def test_a_promise_that_is_used_up_is_an_exit_code(sidecar: Beside, privacy: Command) -> None:
    spend(sidecar, "acme", capacity(1.0, 1e-5) // EACH * EACH)
    assert privacy().returncode == 1


def test_nothing_of_it_can_be_given_back(
    sidecar: Beside,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    spend(sidecar, "acme", EACH)
    for act in (("grant", "acme", "digits", "1"), ("reset", "acme", "digits")):
        where = ("--control", f"unix://{tmp_path}/c.sock")
        monkeypatch.setattr(sys, "argv", ["extproc", "tenants", *act, *where])
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        assert main() == 4
        assert "counts what was told, which nobody can take back" in capsys.readouterr().err


def test_a_file_that_is_none_is_said_so(sidecar: Beside, privacy: Command) -> None:
    told = privacy("--change", "nowhere.yaml")
    assert told.returncode == 4
    assert "nowhere.yaml" in told.stderr
