"""The exchanges of an audit log, in the order in which they ended, and what was learned of them.

Rule: whether the log is whole is for ``extproc audit verify`` to say; here a line is read or is an
error, but for the last one of a log that is being written.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from extproc.audit import Record, Seen
from extproc.auditor.files import in_order, lines
from extproc.errors import ConfigError

_KINDS: Final = frozenset({Record.__struct_config__.tag, Seen.__struct_config__.tag})
_decode = msgspec.json.Decoder(Record | Seen).decode


class _Kind(msgspec.Struct, frozen=True):
    kind: str


_kind = msgspec.json.Decoder(_Kind).decode


def exchanges(paths: Sequence[Path]) -> Iterator[Record | Seen]:
    """Raise ConfigError where a file cannot be read, or a line is none of an audit log."""
    for path in in_order(paths):
        for number, line in enumerate(lines(path), start=1):
            if not line.endswith(b"\n"):
                break  # it is still being written
            record = _read(path, number, line)
            if record is not None:
                yield record


def _read(path: Path, number: int, line: bytes) -> Record | Seen | None:
    try:
        return _decode(line) if _kind(line).kind in _KINDS else None
    except (msgspec.MsgspecError, ValueError) as error:
        wrong = f"{path}:{number}: no line of an audit log"
        raise ConfigError(f"{wrong}; see what is wrong with: extproc audit verify") from error
