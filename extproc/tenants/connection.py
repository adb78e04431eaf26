"""The operator's end of the control socket.

Rule: whatever is wrong with it is one sentence that says what to do.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec

from extproc.accounts.messages import (
    Answer,
    Ask,
    Failed,
    Holder,
    Page,
    Tenants,
    decode_answer,
    encode,
)
from extproc.errors import ConfigError

PATIENCE: Final = 60.0
"""Seconds that an answer may take: longer than the sidecar gives itself."""
LONGEST: Final = 64 << 20
"""Bytes of an answer."""
_PREFIX: Final = "unix://"

Expected = TypeVar("Expected", bound=Answer)


def address(policy: Path | None, base: Path | None, control: str) -> Path:
    """Where the sidecar listens.  Raise ConfigError where nobody says."""
    if control:
        if not control.startswith(f"{_PREFIX}/"):
            wrong = f"--control {control} is no socket"
            raise ConfigError(f"{wrong}; write one such as unix:///run/extproc/control.sock")
        return Path(control.removeprefix(_PREFIX))
    if policy is None:
        raise ConfigError("which sidecar? name its --policy, or its --control socket")
    from extproc.config import load

    found = load(policy, base).control
    if found is None:
        remedy = "add control: unix:///run/extproc/control.sock to it, and restart the sidecar"
        raise ConfigError(f"{policy}: it has no control socket; {remedy}")
    return Path(found.removeprefix(_PREFIX))


class Refused(Exception):  # noqa: N818 - names what the sidecar said
    """The sidecar did not do it; the message says why."""


class Connection:
    """Raise ConfigError where there is no sidecar, or it is not for this user."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(patience)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise ConfigError(_unreachable(path, error)) from error
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, ask: Ask, kind: type[Expected]) -> Expected:
        """Raise Refused where it was not done, ConfigError where it names what there is not."""
        answer = self._answer(ask)
        if isinstance(answer, Failed):
            if answer.kind in {"unknown", "malformed"}:
                raise ConfigError(answer.message)
            raise Refused(answer.message)
        if not isinstance(answer, kind):
            raise ConfigError(self._wrong("answers another question"))
        return answer

    def tenants(self, *, private: bool = False) -> Iterator[Holder]:
        """All there are, and whatever they share; ``private``: with what they have of privacy."""
        after = ""
        while True:
            page = self.ask(Tenants(after, private), Page)
            yield from page.holders
            if not page.after:
                return
            after = page.after

    def _answer(self, ask: Ask) -> Any:
        try:
            self._socket.sendall(encode(ask) + b"\n")
            line = self._lines.readline(LONGEST)
        except TimeoutError as error:
            raise Refused(self._wrong("does not answer; see its log")) from error
        except OSError:
            line = b""  # closed: perhaps after an answer that says why
        if not line.endswith(b"\n"):
            raise Refused(self._wrong("has closed the connection; see its log"))
        try:
            return decode_answer(line)
        except (msgspec.MsgspecError, ValueError) as error:
            wrong = self._wrong("does not speak as a sidecar of this version")
            raise ConfigError(f"{wrong}; is it another one?") from error

    def _wrong(self, what: str) -> str:
        return f"{self._path}: whoever listens there {what}"


def _unreachable(path: Path, error: OSError) -> str:
    match error:
        case FileNotFoundError() | ConnectionRefusedError():
            return f"{path}: no sidecar listens there; start it with: extproc serve --policy FILE"
        case PermissionError():
            return f"{path}: not allowed; run this as the user that the sidecar runs as"
        case _:
            return f"{path}: {error.strerror or 'it cannot be reached'}; is it a sidecar's socket?"
