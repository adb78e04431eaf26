"""Short turns at the interpreter, while a thread computes beside the event loop.

Rule: a thread that has the interpreter keeps it for 5 ms (``sys.getswitchinterval``), which is all
the delay that a request may have; each wait of the loop could cost one.  While anybody is inside,
a turn is half a millisecond.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

TURN: Final = 0.0005
"""Seconds."""


class _Inside:
    """How many threads are, and what was so before the first."""

    def __init__(self) -> None:
        self.lock, self.count, self.before = threading.Lock(), 0, 0.0


_INSIDE: Final = _Inside()


@contextmanager
def short_turns() -> Iterator[None]:
    """Have all threads take short turns; in any number of threads at once."""
    with _INSIDE.lock:
        if not _INSIDE.count:
            _INSIDE.before = sys.getswitchinterval()
            sys.setswitchinterval(TURN)
        _INSIDE.count += 1
    try:
        yield
    finally:
        with _INSIDE.lock:
            _INSIDE.count -= 1
            if not _INSIDE.count:
                sys.setswitchinterval(_INSIDE.before)
