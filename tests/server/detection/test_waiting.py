"""Alerts that wait, with a real disk, and one that takes nothing."""

import asyncio
from pathlib import Path

from extproc.server.detection.spool import Kept, Spool
from extproc.server.detection.waiting import Waiting
from tests.server.detection.test_spool import URL, alert
from tests.server.wire import until


class Full(Spool):
    """A disk that takes nothing."""

    def keep(self, alert: Kept) -> None:
        raise OSError(28, "No space left on device")


def made(spool: Spool | None, most: int = 10) -> tuple[Waiting, list[int]]:
    unkept = list[int]()
    return Waiting(spool, most, lambda: unkept.append(1)), unkept


async def test_first_come_is_first_gone_and_more_than_the_most_is_refused() -> None:
    waiting, _ = made(None, most=2)
    assert [waiting.add(alert(number)) for number in range(3)] == [True, True, False]
    for number in range(2):
        assert await waiting.first() == alert(number)
        await waiting.done()
    assert len(waiting) == 0


async def test_whoever_wants_the_first_waits_for_it() -> None:
    waiting, _ = made(None)
    first = asyncio.create_task(waiting.first())
    await asyncio.sleep(0)
    assert not first.done()
    waiting.add(alert(1))
    assert await first == alert(1)


async def test_what_was_not_taken_out_is_there_again(tmp_path: Path) -> None:
    waiting, _ = made(Spool(tmp_path, URL))
    keeping = asyncio.create_task(waiting.keep())
    for number in range(3):
        waiting.add(alert(number))
    await until(lambda: not waiting.unsafe)
    await waiting.done()
    keeping.cancel()
    again, _ = made(Spool(tmp_path, URL))
    again.add(alert(7))
    await again.load()
    assert (len(again), again.unsafe) == (3, 1)
    found = []
    while len(again):
        found.append(await again.first())
        await again.done()
    assert found == [alert(1), alert(2), alert(7)]
    assert Spool(tmp_path, URL).left(10) == []


async def test_what_goes_before_it_was_in_a_file_never_is(tmp_path: Path) -> None:
    waiting, _ = made(Spool(tmp_path, URL))
    waiting.add(alert(1))
    waiting.add(alert(2))
    await waiting.done()
    await waiting.keep_all()
    assert Spool(tmp_path, URL).left(10) == [alert(2)]


async def test_a_disk_that_is_full_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    waiting, unkept = made(Full(tmp_path, URL))
    waiting.add(alert(1))
    await waiting.keep_all()
    await waiting.keep_all()
    assert (len(unkept), waiting.unsafe) == (1, 1)
    assert await waiting.first() == alert(1)
    await waiting.done()
    await waiting.empty()


async def test_whoever_waits_until_nothing_waits_is_told() -> None:
    waiting, _ = made(None)
    waiting.add(alert(1))
    empty = asyncio.create_task(waiting.empty())
    await asyncio.sleep(0)
    assert not empty.done()
    await waiting.done()
    await empty
