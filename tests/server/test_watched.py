"""Every way in which a file becomes another is told, on the kernel's own word."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from extproc.server.watched import Watcher, steps
from tests.volume import Volume


def real(path: Path) -> Path:
    return path.resolve()


def test_a_plain_path_is_one_step(tmp_path: Path) -> None:
    file = real(tmp_path) / "a" / "file"
    assert [*steps(file)] == [file]


def test_a_relative_path_starts_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [*steps(Path("a/../file"))] == [real(tmp_path) / "file"]


def test_every_link_on_the_way_is_a_step(tmp_path: Path) -> None:
    folder = real(Volume(tmp_path, {"policy.yaml": "one"}).folder)
    assert [*steps(folder / "policy.yaml")] == [
        folder / "policy.yaml",
        folder / "..data",
        (folder / "policy.yaml").resolve(),
    ]


def test_links_may_be_absolute_and_lead_through_links(tmp_path: Path) -> None:
    tmp_path = real(tmp_path)
    (tmp_path / "there" / "deep").mkdir(parents=True)
    (tmp_path / "a").symlink_to(tmp_path / "there" / "deep")
    (tmp_path / "b").symlink_to("a/..")
    assert [*steps(tmp_path / "b" / "file")] == [
        tmp_path / "b",
        tmp_path / "a",
        tmp_path / "there" / "file",
    ]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert {*steps(real(tmp_path) / "a")} == {real(tmp_path) / "a", real(tmp_path) / "b"}


class Told:
    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.watcher = Watcher(self.event.set)

    async def by(self, change: Callable[[], object]) -> None:
        """Fails where the change is not told within some seconds."""
        self.event.clear()
        change()
        async with asyncio.timeout(10):
            await self.event.wait()


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    made = Told()
    yield made
    await made.watcher.close()


async def test_whatever_happens_to_a_file_is_told(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert await told.watcher.follow([path])
    await told.by(lambda: path.write_text("one"))
    await told.by(lambda: path.write_text("two"))
    (tmp_path / "new").write_text("three")
    await told.by(lambda: (tmp_path / "new").rename(path))
    await told.by(path.unlink)
    assert not await told.watcher.follow([path]), "the same folder is watched"


async def test_a_swap_of_kubelets_is_told(told: Told, tmp_path: Path) -> None:
    volume = Volume(tmp_path, {"policy.yaml": "one", "hmac": "one"})
    paths = [tmp_path / "policy.yaml", tmp_path / "hmac"]
    for number in range(3):
        await told.watcher.follow(paths)
        await told.by(partial(volume.swap, {"policy.yaml": f"{number}", "hmac": "one"}))


async def test_what_is_not_followed_is_not_told(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "file"
    await told.watcher.follow([path])
    await told.by(lambda: path.write_text("one"))
    await told.watcher.close()
    assert await told.watcher.follow([path])
    told.event.clear()
    (tmp_path / "audit.jsonl").write_text("a line")
    (tmp_path / "file~").write_text("a copy")
    assert not told.watcher._concerns(None, f"{tmp_path}/audit.jsonl")  # type: ignore[arg-type]
    await told.by(lambda: path.write_text("two"))


async def test_a_folder_that_comes_later_is_watched_when_it_is_there(
    told: Told, tmp_path: Path
) -> None:
    path = tmp_path / "later" / "file"
    assert await told.watcher.follow([path])
    path.parent.mkdir()
    assert await told.watcher.follow([path])
    await told.by(lambda: path.write_text("one"))


async def test_a_folder_that_another_came_in_the_place_of_is_watched_anew(
    told: Told, tmp_path: Path
) -> None:
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    await told.watcher.follow([path])
    path.parent.rename(tmp_path / "old")
    path.parent.mkdir()
    assert await told.watcher.follow([path])
    await told.by(lambda: path.write_text("one"))


async def test_a_system_without_means_for_it_tells_nothing(told: Told, tmp_path: Path) -> None:
    """The files are looked at now and then all the same, and the watch is tried again."""
    free = os.dup(0)
    os.close(free)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
    try:
        assert await told.watcher.follow([tmp_path / "file"])
        assert told.watcher._watching is not None
        await asyncio.wait({told.watcher._watching}, timeout=10)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert told.watcher._watching.exception() is None
    assert await told.watcher.follow([tmp_path / "file"])
    await told.by(lambda: (tmp_path / "file").write_text("one"))


async def test_to_close_what_never_watched_is_nothing() -> None:
    await Watcher(lambda: None).close()
