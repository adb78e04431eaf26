import asyncio
import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from extproc.envoyconf.check import all_problems
from extproc.envoyconf.settings import Pipe, Socket
from extproc.envoyconf.text import read_documents
from extproc.errors import ConfigError
from extproc.gateway import probe
from extproc.gateway.process import ChildDied
from extproc.gateway.running import Setup, running
from tests.e2e.upstream import Reply, Request, Upstream
from tests.gateway.rig import DEADLINE, ask, gone, setup

GET = "GET / HTTP/1.1\nhost: a"
NOWHERE = "http://127.0.0.1:9"


def _silent(line: str) -> None:
    """Nobody reads it."""


@pytest.mark.e2e
async def test_both_run_and_serve_and_both_end(tmp_path: Path) -> None:
    async def answer(request: Request, reply: Reply) -> None:
        await reply.document(b'"from the model"')

    lines: list[str] = []
    with Upstream() as upstream:
        upstream.script = answer
        # By name: a server that listens on one of its addresses must be found.
        url = f"http://localhost:{upstream.port}"
        async with running(setup(tmp_path, url, lines.append)) as run:
            pids = (run.envoy.pid, run.sidecar.pid)
            answers = [await ask(run.address, GET) for _ in range(4)]
            assert run.address.port != 0
            assert run.admin.port not in {0, run.address.port}
            assert not any(gone(pid) for pid in pids)

    assert all(b"from the model" in answer for answer in answers)
    assert all(gone(pid) for pid in pids)
    assert {line.partition(" ")[0] for line in lines} == {"envoy", "sidecar"}
    assert all_problems(read_documents(tmp_path / "envoy.yaml")) == []


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["envoy", "sidecar"])
async def test_when_one_is_killed_that_is_told_and_the_other_is_ended(
    name: str, tmp_path: Path
) -> None:
    async with running(setup(tmp_path, NOWHERE, _silent)) as run:
        pids = {"envoy": run.envoy.pid, "sidecar": run.sidecar.pid}
        os.kill(pids[name], signal.SIGKILL)
        died = await asyncio.wait_for(run.ended(), DEADLINE)

    assert str(died).startswith(f"{name} was killed by signal 9")
    assert all(gone(pid) for pid in pids.values())


@pytest.mark.e2e
async def test_an_envoy_that_does_not_start_says_why_and_leaves_no_sidecar(tmp_path: Path) -> None:
    wrong = setup(tmp_path, "https://models.example", _silent)
    wrong = replace(wrong, gateway=replace(wrong.gateway, trusted_ca="/no/such/authorities"))

    with pytest.raises(ChildDied, match=r"(?s)^envoy ended with code 1.*/no/such/authorities"):
        async with running(wrong):
            raise AssertionError

    assert not await probe.answers(wrong.gateway.sidecar)


async def test_a_sidecar_that_does_not_start_says_why(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "print('bad policy'); raise SystemExit(4)")
    wrong = replace(setup(tmp_path, NOWHERE, _silent), sidecar=command)

    with pytest.raises(ChildDied, match=r"(?s)^sidecar ended with code 4.*bad policy"):
        async with running(wrong):
            raise AssertionError


async def test_a_base_file_of_the_shell_binds_nothing_that_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTPROC_BASE", "/platform.yaml")
    command = ("/bin/sh", "-c", 'echo "base: <$EXTPROC_BASE>"; exit 4')
    with pytest.raises(ChildDied, match=r"(?s)^sidecar ended with code 4.*base: <>"):
        async with running(replace(setup(tmp_path, NOWHERE, _silent), sidecar=command)):
            raise AssertionError


@pytest.mark.parametrize("name", ["listen", "admin"])
async def test_a_port_in_use_is_named_before_anything_starts(name: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = Socket(*taken.getsockname())
        wrong = _changed(setup(tmp_path, NOWHERE, _silent), **{name: address})

        told = rf"^{name}: cannot use 127\.0\.0\.1:\d+: Address already in use; end what uses"
        with pytest.raises(ConfigError, match=told):
            async with running(wrong):
                raise AssertionError

    assert not await probe.answers(wrong.gateway.sidecar)


async def test_another_sidecar_on_the_same_socket_is_not_taken_for_ours(tmp_path: Path) -> None:
    wrong = setup(tmp_path, NOWHERE, _silent)
    assert isinstance(wrong.gateway.sidecar, Pipe)
    async with await asyncio.start_unix_server(lambda r, w: w.close(), wrong.gateway.sidecar.path):
        with pytest.raises(ConfigError, match=r"another process listens on unix://.*sidecar\.sock"):
            async with running(wrong):
                raise AssertionError


async def test_without_envoy_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVOY_PATH", "/no/such/envoy")

    with pytest.raises(ConfigError, match="ENVOY_PATH names /no/such/envoy"):
        async with running(setup(tmp_path, NOWHERE, _silent)):
            raise AssertionError


async def test_the_sidecar_gets_its_environment(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import os; print(os.environ['EXTPROC_X'], os.environ['A'])")
    told = replace(
        setup(tmp_path, NOWHERE, _silent), sidecar=command, environment={"EXTPROC_X": "mine"}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A", "inherited")
        with pytest.raises(ChildDied, match="mine inherited"):
            async with running(told):
                raise AssertionError


def _changed(old: Setup, **gateway: Socket) -> Setup:
    return replace(old, gateway=replace(old.gateway, **gateway))  # type: ignore[arg-type]
