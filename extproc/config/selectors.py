"""Which routes a base file speaks of.

Rule: a pattern of paths speaks of every route that can be asked at one of them, so that no team
gets around it by another template: ``POST /v1/embeddings`` speaks of ``POST /v1/{name}`` too.
"""

import re
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Final

from extproc.config.base import EVERY

_PARAMETER: Final = re.compile(r"\{\w+\}")


def selects(selector: str, method: str, path: str, dialect: str) -> bool:
    """Whether a route is one of those."""
    if selector == EVERY:
        return True
    if not is_of_paths(selector):
        return fnmatchcase(dialect, selector)
    of_method, _, pattern = selector.partition(" ")
    return of_method in {EVERY, method} and meet(pattern, _PARAMETER.sub(EVERY, path))


def is_of_paths(selector: str) -> bool:
    return " " in selector


def meet(one: str, other: str) -> bool:
    """Whether some text fits both patterns, in which ``*`` stands for any text.

    Position by position of ``one``: ``fits[n]`` tells whether what stands before it can be what
    stands before the n-th position of ``other``.
    """
    fits = [True]
    for mark in other:
        fits.append(fits[-1] and mark == EVERY)
    for step in one:
        fits = _further(step, fits, other)
    return fits[-1]


def _further(step: str, before: list[bool], other: str) -> list[bool]:
    if step == EVERY:
        after = [before[0]]
        for _, here in pairwise(before):
            after.append(here or after[-1])
        return after
    after = [False]
    for index, mark in enumerate(other, 1):
        if mark == EVERY:
            after.append(after[-1] or before[index])
        else:
            after.append(before[index - 1] and step == mark)
    return after
