import asyncio
import time

from extproc.server.loop_lag import EVERY, LoopLag


async def test_a_loop_that_was_held_up_is_told_once() -> None:
    lag = LoopLag()
    running = asyncio.create_task(lag.run())
    await asyncio.sleep(0)  # it has begun to wait
    until = time.monotonic() + 3 * EVERY
    while time.monotonic() < until:  # nothing else runs
        pass
    for _ in range(5):  # as many turns as it takes to wake up
        await asyncio.sleep(0)
    assert lag.take() >= EVERY
    assert lag.take() < EVERY
    running.cancel()


def test_nothing_is_late_before_it_runs() -> None:
    assert LoopLag().take() == 0.0
