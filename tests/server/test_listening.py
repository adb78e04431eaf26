"""What cannot be listened on is told with its setting, why, and what helps."""

import asyncio
from pathlib import Path

import grpc
import pytest

from extproc.errors import ConfigError
from extproc.server.listening import listen
from tests.nobody import as_nobody


def refusal(address: str) -> str:
    with pytest.raises(ConfigError) as caught:
        asyncio.run(listened(address))
    return str(caught.value)


async def listened(address: str) -> None:
    server = grpc.aio.server()
    try:
        listen(server, "listen", address)
    finally:
        await server.stop(grace=0)


@pytest.mark.parametrize(
    ("address", "why", "remedy"),
    [
        ("192.0.2.1:9101", "Cannot assign requested address", "write an address of this machine"),
        ("[2001:db8::1]:9101", "Cannot assign requested address", "write an address of this"),
    ],
)
def test_an_address_of_another_machine_is_none(address: str, why: str, remedy: str) -> None:
    said = refusal(address)
    assert said.startswith(f"listen: cannot listen on {address} ({why}); ")
    assert remedy in said


def test_a_folder_that_may_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    Path("run").mkdir(mode=0o555)
    with as_nobody():
        said = refusal("unix://run/s")
    assert said.startswith("listen: run/s cannot be made (Permission denied); ")
    assert "fsGroup" in said
    assert not Path("run/s").exists()


def test_what_was_tried_is_gone_and_grpc_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asyncio.run(listened(f"unix://{tmp_path}/s"))
    assert Path("s").is_socket()
