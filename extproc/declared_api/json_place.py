"""Where in a JSON answer something lies, as in ``outputs[name=label].data`` or ``results[].score``.

Steps are the name of a member, ``[]`` for every item of an array, ``[2]`` for one, and
``[name=label]`` for the items whose member has that value.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

_STEP: Final = re.compile(
    r"(?P<name>[^.\[\]=]+)|\[(?P<at>\d*)\]|\[(?P<key>[^.\[\]=]+)=(?P<value>[^\[\]]*)\]"
)


@dataclass(frozen=True, slots=True)
class _Member:
    name: str

    def each(self, value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and self.name in value:
            yield value[self.name]


@dataclass(frozen=True, slots=True)
class _Item:
    at: int | None
    """None: every one."""

    def each(self, value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value if self.at is None else value[self.at : self.at + 1]


@dataclass(frozen=True, slots=True)
class _Where:
    key: str
    value: str

    def each(self, value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict) and str(item.get(self.key)) == self.value:
                yield item


@dataclass(frozen=True, slots=True)
class JsonPlace:
    """Steps into a document."""

    steps: tuple[_Member | _Item | _Where, ...]

    def leaves(self, document: Any) -> list[Any]:
        """All that lies there, arrays taken apart; empty where nothing does."""
        found: Iterable[Any] = [document]
        for step in self.steps:
            found = [each for value in found for each in step.each(value)]
        return list(_flat(found))


def parse(text: str) -> JsonPlace:
    """Raise ValueError where it is none."""
    steps: list[_Member | _Item | _Where] = []
    at = 0
    while at < len(text):
        if text[at] == "." and steps:
            at += 1
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is no place in JSON: write it as in results[].score")
        steps.append(_step(match))
        at = match.end()
    return JsonPlace(tuple(steps))


def _step(match: re.Match[str]) -> _Member | _Item | _Where:
    if match["name"] is not None:
        return _Member(match["name"])
    if match["key"] is not None:
        return _Where(match["key"], match["value"])
    return _Item(int(match["at"]) if match["at"] else None)


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value
