"""What every Memos must do.  A store's test module subclasses this."""

import os

from extproc.limits import Memos


def key(name: str, space: bytes = b"spac") -> bytes:
    return space + name.encode().ljust(16, b".")


class MemosContract:
    """Of one store, whatever is in it already."""

    def memos(self) -> Memos:
        raise NotImplementedError

    async def test_what_was_told_is_recalled_in_the_order_that_is_asked(self) -> None:
        memos, space = self.memos(), os.urandom(4)
        await memos.keep({key("a", space): 7, key("b", space): -1, key("c", space): 0})
        asked = [key(name, space) for name in ("c", "x", "b", "a", "a")]
        assert await memos.recall(asked) == [0, None, -1, 7, 7]

    async def test_what_is_told_anew_takes_the_place_of_what_was_told_before(self) -> None:
        memos, space = self.memos(), os.urandom(4)
        for told in (1, 2):
            await memos.keep({key("a", space): told})
        assert await memos.recall([key("a", space)]) == [2]

    async def test_others_are_apart(self) -> None:
        memos, one, other = self.memos(), os.urandom(4), os.urandom(4)
        await memos.keep({key("a", one): 1})
        assert await memos.recall([key("a", other)]) == [None]

    async def test_nothing_is_asked_and_nothing_kept(self) -> None:
        memos = self.memos()
        await memos.keep({})
        assert await memos.recall([]) == []
