import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from extproc.demo.cases import CHAT, chat
from extproc.demo.interactive import curl
from extproc.demo.policy_file import TENANTS, free_port
from tests.gateway.rig import gone


def test_a_line_to_paste_asks_as_the_key_and_keeps_its_quotes() -> None:
    body = chat(stop="it's")
    command = shlex.split(curl(f"http://127.0.0.1:8080{CHAT}", "xk-1", body))
    assert command[:4] == ["curl", "-sNw", "\\n", f"http://127.0.0.1:8080{CHAT}"]
    assert command[4:8] == [
        *("-H", "authorization: Bearer xk-1"),
        *("-H", "content-type: application/json"),
    ]
    assert json.loads(command[9]) == body


@contextmanager
def _demo(port: int) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """The process, and what it said before the logs begin."""
    command = [sys.executable, "-m", "extproc", "demo", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said: list[str] = []
        try:
            while not (said and said[-1].startswith("Ctrl-C")):
                line = process.stdout.readline()
                assert line, said
                said.append(line.rstrip())
            yield process, said
        finally:
            process.terminate()


def _children(process: "subprocess.Popen[str]") -> dict[str, int]:
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    pids = [int(pid) for task in tasks for pid in task.read_text().split()]
    return {Path(f"/proc/{pid}/cmdline").read_text().split("\0")[2]: pid for pid in pids}


@pytest.mark.e2e
def test_what_it_says_works_until_ctrl_c(trained: None) -> None:
    with _demo(free_port()) as (process, said):
        asked = [shlex.split(line) for line in said if line.startswith("  curl")]
        for _, _, _, url, _, authorization, _, kind, _, body in asked:
            headers = dict(header.split(": ") for header in (authorization, kind))
            answer = httpx.post(url, content=body, headers=headers, timeout=20, trust_env=False)
            assert answer.status_code == 200
        assert [line.split()[1] for line in said if line.startswith("  xk-")] == [
            f"{tenant}:" for tenant in TENANTS
        ]
        (policy,) = [line.split()[1] for line in said if line.startswith("policy:")]
        assert Path(policy).is_file()

        children = _children(process)
        assert len(children) == 3
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert process.stdout is not None
        logs = process.stdout.read().splitlines()
    assert all(map(gone, children.values()))
    assert not Path(policy).exists()
    assert sum(line.startswith("sidecar | ") and '"exchange"' in line for line in logs) >= 4


@pytest.mark.e2e
def test_the_death_of_one_ends_all(trained: None) -> None:
    with _demo(free_port()) as (process, _):
        children = _children(process)
        os.kill(children["extproc"], signal.SIGKILL)
        assert process.wait(timeout=30) == 3
    assert all(map(gone, children.values()))
