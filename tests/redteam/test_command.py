"""``extproc redteam``: what is wrong with a command line or a file, and with which code it ends."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from extproc.__main__ import main
from extproc.redteam.firing_range.firing_range import free_port
from tests.redteam.target.test_target import _target

ROOT = Path(__file__).parents[2]


def _redteam(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "extproc", "redteam", *options],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
    )


HOPELESS = """
goals:
  - id: hopeless
    claim: Without a defence, nothing is copied.
    attack: equation-solving
    victim: digits
    policy: none
    measure: agreement.uniform
    budget: 65
    at_most: 0.05
"""


@pytest.fixture
def called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The command line within this process: its exit code, and what it said."""

    def call(*options: str) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["extproc", "redteam", *options])
        code = main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--attack", "nonsense"), 2, "there is no attack 'nonsense': extproc redteam --list"),
        (("--policy", "nonsense"), 2, "there is no policy 'nonsense'"),
        (("--target", "t.yaml", "--policy", "full"), 2, "leave out --victim and --policy"),
        (("--target", "nowhere.yaml"), 4, "nowhere.yaml: [Errno 2] No such file"),
        (("--goals", "nowhere.yaml"), 4, "nowhere.yaml: [Errno 2] No such file"),
        (("--policy", "nowhere.yaml:gold"), 4, "nowhere.yaml: [Errno 2] No such file"),
        (("--budget", "0"), 2, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    tmp_path: Path,
    called: Callable[..., tuple[int, str, str]],
    options: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    ended, out, error = called("--directory", str(tmp_path), *options)
    assert said in error
    assert (ended, out) == (code, "")


def test_a_package_that_is_missing_is_said_with_how_to_install_it() -> None:
    script = "import sys; sys.modules['aiohttp'] = None; from extproc.__main__ import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", script.replace("main()", "sys.exit(main())"), "redteam", "--list"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )
    assert "needs aiohttp: pip install 'extproc[redteam,demo]'" in ended.stderr
    assert ended.returncode == 4


def test_other_commands_do_not_load_the_red_team() -> None:
    script = "import sys, extproc.__main__; print([m for m in sys.modules if m in "
    script += "('aiohttp', 'numpy', 'sklearn', 'extproc.redteam.campaign')])"
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "redteam" not in ended.stdout
    assert "aiohttp" not in ended.stdout


def test_a_file_of_goals_that_is_broken_ends_with_4_and_its_line(
    tmp_path: Path, called: Callable[..., tuple[int, str, str]]
) -> None:
    (tmp_path / "goals.yaml").write_text("goals:\n  - id: a\n    id: b\n")
    goals = str(tmp_path / "goals.yaml")
    ended, _, error = called("--directory", str(tmp_path), "--goals", goals)
    assert ended == 4
    assert error == f"extproc redteam: {goals}:3: 'id' is written twice\n"


def test_a_target_that_does_not_answer_ends_with_3(
    tmp_path: Path, called: Callable[..., tuple[int, str, str]]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    _target(tmp_path, url=url)
    target = str(tmp_path / "target.yaml")
    ended, _, error = called("--target", target, "--directory", str(tmp_path))
    assert ended == 3
    assert error.splitlines()[-1] == (
        f"extproc redteam: nothing answers at {url}: start what is to be attacked there"
    )


@pytest.mark.e2e
def test_a_goal_that_is_not_held_ends_with_1_and_what_was_claimed(tmp_path: Path) -> None:
    (tmp_path / "goals.yaml").write_text(HOPELESS)
    ended = _redteam(
        *("--directory", str(tmp_path), "--goals", str(tmp_path / "goals.yaml"), "--quick"),
        *("--attack", "equation-solving", "--victim", "digits", "--policy", "standard"),
        *("--seeds", "1", "--budget", "65"),
    )
    assert ended.returncode == 1, ended.stderr
    assert "Without a defence, nothing is copied." in ended.stderr
    assert "0 of 1 goals hold" in ended.stdout
    assert (tmp_path / "report.html").is_file()
