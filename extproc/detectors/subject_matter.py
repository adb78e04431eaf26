"""What an input is about: a text, or a row of numbers.

Rule: it is found in any JSON value, as in what dialects make of one, with bounded work, and nothing
raises.  Of a chat it is what was said last by its user; of what stands behind a system's
instructions, it is the latter; of a row of a table, its values in the order of their names.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from extproc.canonical import Shared
from extproc.detectors.observation import EXCERPT

Numbers = npt.NDArray[np.float64]
"""Shape (numbers,), all of them finite."""
_VALUES: Final = 4 * EXCERPT
"""Values that are looked at."""
_SAID: Final = ("content", "parts", "text")
"""Members of a message, or of a part of one, that hold what it says."""
_CATEGORY: Final = 32
"""Characters that the name of a category has at most; what is longer is a text."""
_PAIR: Final = 2
_LARGEST: Final = 1e30


def subject_matter(value: Any) -> str | Numbers | None:
    """None where it holds neither text nor numbers."""
    match value:
        case str():
            return value[:EXCERPT]
        case bytes():  # a file, compressed
            return None
        case _:
            return _made_of(_leaves(value))


def _made_of(leaves: Sequence[str | Numbers]) -> str | Numbers | None:
    """Texts make a text, but for those that are a table's categories beside its numbers."""
    if not leaves:
        return None
    texts = [leaf for leaf in leaves if isinstance(leaf, str)]
    if len(texts) == len(leaves) or any(len(each) > _CATEGORY for each in texts):
        return " ".join(texts)[:EXCERPT]
    row = _spread(np.concatenate([_category(x) if isinstance(x, str) else x for x in leaves]))
    finite: Numbers = np.nan_to_num(row, nan=0.0, posinf=_LARGEST, neginf=-_LARGEST)
    return np.clip(finite, -_LARGEST, _LARGEST) if len(finite) else None


def _category(name: str) -> Numbers:
    return np.array([crc32(name.encode("utf-8", "replace")) / 2**32])


def _spread(values: Any) -> Any:
    """Evenly, as many as an excerpt has at most."""
    return values[:: -(-len(values) // EXCERPT) or 1]


def _leaves(value: Any) -> list[str | Numbers]:
    found: list[str | Numbers] = []
    waiting = [value]
    left = _VALUES
    while waiting and left > 0:
        left -= 1
        each = waiting.pop()
        leaf = _leaf(each)
        if leaf is not None:
            found.append(leaf)
        elif isinstance(each, dict):
            waiting.extend(reversed(_members(each)))
        elif isinstance(each, list | tuple):
            waiting.extend(reversed(_items(each)))
        elif isinstance(each, Shared):
            waiting.append(each.value)
    return found


def _leaf(value: Any) -> str | Numbers | None:
    if isinstance(value, str):
        return value[:EXCERPT]
    if isinstance(value, bytes):  # a row of a tensor
        return np.frombuffer(value[: min(len(value) // 8, EXCERPT) * 8], "<f8")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _numbers([value])
    if isinstance(value, list) and value and isinstance(value[0], int | float):
        return _numbers(_spread(value))
    return None


def _items(items: Sequence[Any]) -> Sequence[Any]:
    """What of an array is to be looked at."""
    if isinstance(items, tuple) and len(items) > 1:  # instructions, and what they are for
        return items[1 : EXCERPT + 1]
    if len(items) == _PAIR and isinstance(items[1], bytes | list) and _is_name(items[0]):
        return items[1:]
    if items and isinstance(items[-1], dict) and "role" in items[-1]:
        return (_last_said(items),)
    return items[:EXCERPT]


def _is_name(value: Any) -> bool:
    """Of a tensor; or instructions, if any."""
    return value is None or isinstance(value, str)


def _numbers(values: Sequence[Any]) -> Numbers | None:
    """None where they are not all numbers, of float64."""
    try:
        return np.array(values, np.float64)
    except (OverflowError, TypeError, ValueError):
        return None


def _last_said(messages: Sequence[Any]) -> Any:
    """The user's last message; the last one where none is the user's."""
    for message in reversed(messages[-_CATEGORY:]):
        if isinstance(message, Mapping) and message.get("role") == "user":
            return message
    return messages[-1]


def _members(value: Mapping[str, Any]) -> Sequence[Any]:
    said = [value[name] for name in _SAID if value.get(name)]
    if said:
        return said
    if isinstance(value.get("type"), str):  # a part of a message that is no text
        return ()
    return [_parsed(value[name]) for name in sorted(value, key=str)[:EXCERPT]]


def _parsed(value: Any) -> Any:
    """A table's number, which some APIs write as a string."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value
