"""What a run has measured so far, a line for each trial that came to its end.

Rule: a line is on the disk before the trial counts as done, and a last line that was cut short is
none.  A journal is gone on with by the same run alone: its first line is the fingerprint of all
that its numbers depend on.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

import msgspec

from extproc.redteam.plan import Planned
from extproc.redteam.row import Row

PACKAGE: Final = Path(__file__).parents[1]
_NOT_MEASURED_WITH: Final = ("redteam/report/", "redteam/goals.")
"""What may change between two parts of a run."""


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the numbers of a run depend on."""

    source: str
    """Of the code: attacks, victims and the gateway itself."""
    seeds: tuple[int, ...]
    budgets: dict[str, tuple[int, ...]]
    """By attack."""
    trials: str
    """Of the list of trials."""
    files: dict[str, str]
    """Of policy files and what else was read, by their names."""

    def unlike(self, other: Self) -> str:
        """The first field that differs, or nothing."""
        return next(
            (f for f in self.__struct_fields__ if getattr(self, f) != getattr(other, f)), ""
        )


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trial that came to its end."""

    trial: str
    seconds: float
    rows: tuple[Row, ...]


def fingerprint(plan: Iterable[Planned], files: Iterable[Path]) -> Fingerprint:
    """Raise OSError where a file cannot be read."""
    trials = tuple(plan)
    names = "\n".join(f"{trial.name} {trial.budgets}" for trial in trials)
    return Fingerprint(
        source=_source(),
        seeds=tuple(sorted({trial.seed for trial in trials})),
        budgets={trial.attack: trial.budgets for trial in trials},
        trials=sha256(names.encode()).hexdigest(),
        files={str(path): sha256(path.read_bytes()).hexdigest() for path in files},
    )


@dataclass(frozen=True, slots=True)
class Journal:
    """Of one run; ``entries`` are those of its earlier parts, by the trial's name."""

    path: Path
    entries: dict[str, Entry]

    def add(self, entry: Entry) -> None:
        """It is on the disk when this returns."""
        _append(self.path, msgspec.json.encode(entry))
        self.entries[entry.trial] = entry


def open_journal(path: Path, mark: Fingerprint, *, fresh: bool = False) -> Journal:
    """Begin it, or go on with it.

    Raise ValueError, with the remedy, where it is of another run; OSError where it cannot be
    written.
    """
    if fresh or not path.is_file() or not (lines := _whole_lines(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        _append(path, msgspec.json.encode(mark))
        return Journal(path, {})
    try:
        before = msgspec.json.decode(lines[0], type=Fingerprint)
        entries = [msgspec.json.decode(line, type=Entry) for line in lines[1:]]
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path}: this is no journal: --fresh begins a new one") from error
    if unlike := mark.unlike(before):
        raise ValueError(
            f"{path}: this is of another run ({unlike} differ): --fresh discards it, and another "
            "--directory keeps it"
        )
    return Journal(path, {entry.trial: entry for entry in entries})


def _whole_lines(path: Path) -> list[bytes]:
    """Lines that were written to their end; what comes after them is cut off."""
    whole, newline, _ = path.read_bytes().rpartition(b"\n")
    os.truncate(path, len(whole) + len(newline))
    return whole.split(b"\n") if whole else []


def _append(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _source() -> str:
    digest = sha256()
    for name, path in sorted(_sources()):
        digest.update(f"{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[tuple[str, Path]]:
    for path in PACKAGE.rglob("*"):
        name = path.relative_to(PACKAGE).as_posix()
        if path.suffix in {".py", ".lua", ".yaml"} and not name.startswith(_NOT_MEASURED_WITH):
            yield name, path
