"""A whole run through the command line, against real Envoy: twice, and broken off in between."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from rich.console import Console

from extproc.redteam.aim import Asked, aim
from extproc.redteam.journal import fingerprint, open_journal
from extproc.redteam.progress import Progress
from extproc.redteam.row import Row
from extproc.redteam.run import Run
from tests.redteam.faulty import bearer, model, refusal
from tests.redteam.faulty import serving as answering
from tests.redteam.planted_servers import KEY, honest
from tests.redteam.target.test_target import _target

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
QUICK = (
    "--quick",
    "--attack",
    "equation-solving",
    "--policy",
    "standard",
    "--budget",
    "130",
    "--seeds",
    "2",
)


def _start(directory: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "extproc", "redteam", "--directory", str(directory), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
    )


def _rows(directory: Path) -> list[dict[str, Any]]:
    """Without what time they took."""
    lines = (directory / "rows.jsonl").read_bytes().splitlines()
    rows = [msgspec.to_builtins(msgspec.json.decode(line, type=Row)) for line in lines]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_the_same_seeds_give_the_same_rows_though_the_run_was_broken_off(tmp_path: Path) -> None:
    whole = _start(tmp_path / "whole", *QUICK)
    told, _ = whole.communicate(timeout=300)
    assert whole.returncode == 0, told

    broken = _start(tmp_path / "broken", *QUICK)
    _until_a_trial_is_kept(broken, tmp_path / "broken" / "journal.jsonl")
    broken.send_signal(signal.SIGINT)
    told, _ = broken.communicate(timeout=300)
    assert broken.returncode in {130, 0}, told
    journal = tmp_path / "broken" / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"trial":"equation-')  # as if the machine had gone down

    again = _start(tmp_path / "broken", *QUICK)
    told, _ = again.communicate(timeout=300)
    assert again.returncode == 0, told
    assert "of 4 trials are in the journal" in told
    assert _rows(tmp_path / "broken") == _rows(tmp_path / "whole")

    found = {(r["policy"], r["seed"], r["measure"]): r["value"] for r in _rows(tmp_path / "whole")}
    assert found["none", 2, "agreement.task"] == 1.0
    assert found["standard", 2, "agreement.task"] < 0.9
    assert found["standard", 0, "policy.changes"] > 0


def _until_a_trial_is_kept(running: "subprocess.Popen[str]", journal: Path) -> None:
    """Its fingerprint, the preflight, and a trial."""
    while running.poll() is None:
        if journal.is_file() and journal.read_bytes().count(b"\n") >= 3:
            return
    raise AssertionError(running.stdout.read() if running.stdout else "")


async def test_a_trial_that_is_never_answered_fails_and_the_others_go_on(tmp_path: Path) -> None:
    journal_at = tmp_path / "journal.jsonl"
    ended, told = asyncio.Event(), io.StringIO()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        """Those who have the first key, once all has been looked at: the first trial."""
        if bearer(request) == KEY and journal_at.read_bytes().count(b"\n") > 1:
            await ended.wait()
        if bearer(request) not in {KEY, "xk-two", "xk-three"}:
            return refusal(401)
        return await model(lambda inputs: honest(inputs, "planted"))(request)

    async with answering(handle) as url:
        _target(tmp_path, url=url)
        target = tmp_path / "target.yaml"
        named = ("equation-solving",)
        aimed = aim(Asked(directory=tmp_path, target=target, attacks=named, budget=40, count=3))
        journal = open_journal(journal_at, fingerprint(aimed.trials, aimed.files))
        with Progress(Console(file=told), 2) as progress:
            of = (aimed.trials, aimed.attacks, aimed.victims, aimed.ground)
            result = await Run(*of, journal, progress, limit=2.0).run()
        ended.set()
    name = "equation-solving on mine under target, seed 1"
    why = "it was broken off after 2 s: what it attacks does not answer, or too slowly"
    assert result.failed == {name: why}
    assert {row.seed for row in result.rows if row.attack == "equation-solving"} == {2, 3}
    assert f"failed: {name}: it was broken off" in told.getvalue()
