"""Sample answers, from files: one JSON document each, or many as lines or events."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import orjson

from extproc.errors import ConfigError

STANDARD_INPUT: Final = Path("-")
LARGEST: Final = 64 << 20
"""Bytes of one file."""

_REMEDY: Final = "give the body of an answer, as the model server sends it"


def read(paths: Iterable[Path]) -> list[Any]:
    """Every document of the files.  Raise ConfigError, with file and line, where one is none."""
    return [document for path in paths for document in _documents(path)]


def _documents(path: Path) -> list[Any]:
    name, body = _named(path), _body(path)
    try:
        return [orjson.loads(body)]
    except orjson.JSONDecodeError as error:
        lines = body.splitlines()
        found = [_line(line) for line in lines]
        documents = [document for document in found if document is not None]
        if not documents or len(lines) == 1 or _broken(found, lines):
            raise ConfigError(f"{name}:{error.lineno}: not JSON; {_REMEDY}") from error
        return documents


def _line(line: bytes) -> Any:
    """What one line holds, of JSON lines or of an event stream; None where that is nothing."""
    try:
        return orjson.loads(line.removeprefix(b"data:"))
    except orjson.JSONDecodeError:
        return None


def _broken(found: list[Any], lines: list[bytes]) -> bool:
    """Whether a line holds neither a document nor what streams hold beside them."""
    return any(
        document is None and line.strip() and not line.startswith((b":", b"event:", b"id:"))
        for document, line in zip(found, lines, strict=True)
        if line.strip() not in {b"data: [DONE]", b"data:[DONE]"}
    )


def _named(path: Path) -> str:
    return "standard input" if path == STANDARD_INPUT else str(path)


def _body(path: Path) -> bytes:
    try:
        if path == STANDARD_INPUT:
            body = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with path.open("rb") as file:
                body = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a file that can be read") from error
    if len(body) > LARGEST:
        raise ConfigError(f"{_named(path)}: larger than {LARGEST >> 20} MiB; {_REMEDY}")
    return body
