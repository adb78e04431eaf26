"""How what came out differs from what was expected, place by place."""

from collections.abc import Iterator
from typing import Any, Final

import orjson

_SHOWN: Final = 120
_STREAM: Final = b"data:"


def parsed(body: bytes) -> Any:
    """A JSON document, the events of a stream, or text."""
    if body.startswith(_STREAM):
        events = [event for event in body.split(b"\n\n") if event.strip()]
        return [parsed(event.removeprefix(_STREAM).strip()) for event in events]
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")


def differences(expected: Any, found: Any, place: str) -> Iterator[str]:
    """Of mappings what is named must be there; all else must be equal."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            if name in found:
                yield from differences(value, found[name], f"{place}.{name}")
            else:
                yield f"{place}.{name}: expected {shown(value)}, and it is not there"
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (value, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(value, other, f"{place}[{index}]")
    elif not _equal(expected, found):
        yield f"{place}: expected {shown(expected)}, is {shown(found)}"


def _equal(expected: Any, found: Any) -> bool:
    """``true`` is not 1."""
    same = isinstance(expected, bool) == isinstance(found, bool)
    return same and bool(expected == found)


def holding(name: str, found: Any, place: str) -> Iterator[str]:
    """Every place where a name stands."""
    if isinstance(found, dict):
        for key, value in found.items():
            if key == name:
                yield f"{place}.{key}: expected nowhere, and it is there"
            yield from holding(name, value, f"{place}.{key}")
    elif isinstance(found, list):
        for index, value in enumerate(found):
            yield from holding(name, value, f"{place}[{index}]")


def shown(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
