"""Recorded traffic: a file with a line of JSON for each query that a benign client has sent.

Rule: read line by line, as often as needed, within bounds; what is wrong is told with its place and
never with its content.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from extproc.errors import ConfigError

LONGEST: Final = 1 << 20
"""Bytes of a line."""
MOST: Final = 5_000_000
"""Lines of a file: some 25 bytes of memory are needed for each."""
DEFAULT: Final = "user"
"""The traffic class of a line, or a policy, that names none."""

_REMEDY: Final = 'a line is {"client": "...", "time": 1760000000, "traffic": "user", "input": ...}'
_Name = Annotated[str, Meta(min_length=1, max_length=128)]


class Line(Struct, frozen=True, gc=False):
    """One query.  Members of other names are left alone."""

    client: _Name
    """Whoever has a profile of its own: a tenant, or one of its principals."""
    time: Annotated[float, Meta(ge=0, le=1e11)]
    """In seconds since 1970."""
    input: Any
    """As the API gets it: a text, numbers, messages."""
    traffic: _Name = DEFAULT
    """Its traffic class."""


def lines(path: Path) -> Iterator[Line]:
    """All of them, in the order of the file.

    Raise ConfigError, with file and line, where one is none or the file cannot be read.
    """
    decoder = msgspec.json.Decoder(Line)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST + 1), b""), 1):
                yield _read(decoder, line, f"{path}:{number}", number)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a file that can be read") from error


def _read(decoder: msgspec.json.Decoder[Line], line: bytes, place: str, number: int) -> Line:
    if number > MOST:
        raise ConfigError(f"{place}: more than {MOST} lines; give fewer clients")
    if len(line) > LONGEST:
        raise ConfigError(f"{place}: longer than {LONGEST >> 20} MiB; cut its input")
    try:
        return decoder.decode(line)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: {error}; {_REMEDY}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{place}: not JSON; {_REMEDY}") from error
