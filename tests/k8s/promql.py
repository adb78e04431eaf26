"""Which series an expression of PromQL is of, and by which labels.

Rule: it is no parser; promtool says whether an expression is one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_GROUPED: Final = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right) ?\(([^)]*)\)")
_SELECTOR: Final = re.compile(r"\b([a-zA-Z_]\w*)\{([^}]*)\}")
_MATCHER: Final = re.compile(r"(\w+)(?:=~|!~|!=|=)\"")
_BARE: Final = re.compile(r"\b[a-zA-Z_]\w*\b(?!\s*\()")
_WORDS: Final = {"and", "bool", "offset", "or", "unless"}


@dataclass(frozen=True, slots=True)
class Selector:
    metric: str
    labels: frozenset[str]
    """That it is chosen by."""


def selectors(expression: str) -> Iterator[Selector]:
    rest = _GROUPED.sub("", expression)
    for metric, matchers in _SELECTOR.findall(rest):
        yield Selector(metric, frozenset(_MATCHER.findall(matchers)))
    rest = re.sub(r"\[[^]]*\]|\"[^\"]*\"", "", _SELECTOR.sub("", rest))
    for word in _BARE.findall(rest):
        if word not in _WORDS:
            yield Selector(word, frozenset())


def grouped(expression: str) -> set[str]:
    """Labels that series are put together by, or matched on."""
    lists = _GROUPED.findall(expression)
    return {label.strip() for each in lists for label in each.split(",")} - {""}
