"""Work on many callers, on all cores of this machine.

Rule: what comes out is what one process would make, in the same order; processes begin as copies of
this one, so that nothing is learnt twice.
"""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")
_work: Callable[[Any], Any]


def spread(work: Callable[[Given], Made], given: Sequence[Given], *, wide: bool) -> list[Made]:
    """``work`` of each; in this process alone unless ``wide``."""
    if not wide:
        return [work(each) for each in given]
    processes = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("fork").Pool(processes, _begin, (work,)) as pool:
        return pool.map(_do, given, chunksize=16)


def _begin(work: Callable[[Any], Any]) -> None:
    global _work  # noqa: PLW0603 - of a process that does nothing else
    _work = work


def _do(given: Any) -> Any:
    return _work(given)
