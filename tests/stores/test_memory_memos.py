from extproc.limits.memos import KEPT
from extproc.stores.memory_memos import MemoryMemos
from tests.stores.memos import MemosContract, key


class TestMemoryMemos(MemosContract):
    def memos(self) -> MemoryMemos:
        return MemoryMemos()


async def test_there_is_room_for_so_many_and_the_oldest_go_first() -> None:
    memos = MemoryMemos(3)
    for number in range(5):
        await memos.keep({key(str(number)): number})
    await memos.keep({key("2"): 2, key("6"): 6})  # the second of these is kept anew
    assert len(memos) == 3
    asked = [key(str(number)) for number in range(7)]
    assert await memos.recall(asked) == [None, None, 2, None, 4, None, 6]


async def test_what_is_kept_is_kept_for_a_time() -> None:
    now = [0.0]
    memos = MemoryMemos(clock=lambda: now[0])
    await memos.keep({key("a"): 1})
    now[0] = KEPT - 1
    assert await memos.recall([key("a")]) == [1]
    now[0] = KEPT
    assert await memos.recall([key("a")]) == [None]
    await memos.keep({key("b"): 2})
    assert len(memos) == 1
