"""What an audit log commits to: of marks and controls, those lines that count.

Rule: it is verified as ``extproc audit verify`` does, in the same reading, and nothing counts of a
log that is not whole.  A line counts from the checkpoint on that signs it.  Times are those of the
log's own writer: an anchor, a head of the log that somebody else has held since a day, is what says
that nothing up to there was written later.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from extproc.audit import Marked
from extproc.audit.chain import Tip, read
from extproc.audit.verification import Report, Verification
from extproc.auditor.files import in_order, lines, public_keys
from extproc.errors import ConfigError

_decode: Final = msgspec.json.Decoder(Marked).decode


@dataclass(frozen=True, slots=True)
class Commitment:
    """A line of the log."""

    line: int
    """Its number."""
    marked: Marked
    signed: datetime
    """When the checkpoint behind it was."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What counts: all that is signed, where nothing is said."""

    anchors: tuple[Tip, ...] = ()
    """Lines up to one of these, which must all be there; of a log without one nothing counts."""
    before: datetime | None = None
    """Lines that were signed before."""


@dataclass(frozen=True, slots=True)
class Committed:
    """Of logs that are whole."""

    logs: tuple[Report, ...]
    keys: tuple[str, ...]
    """Names of those that may have signed."""
    counted: tuple[Commitment, ...]
    """In the order in which they were signed."""
    late: int
    """Commitments outside the bounds."""
    unsigned: int
    """Commitments that no checkpoint signs yet."""


def committed(
    paths: Sequence[Path], keys: Sequence[Path], bounds: Bounds, *, live: bool
) -> Committed:
    """Of one log, or of several, as replicas write them: files of one folder are of one log.

    Raise ConfigError where a file cannot be read, a log is not whole, or an anchor is of none.
    """
    known = public_keys(keys)
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        folders.setdefault(path.resolve().parent, []).append(path)
    logs, every = [], []
    for files in folders.values():
        found = _Found(bounds)
        logs.append(_verified(files, known, found, live=live))
        every.append(found)
    missing = set(bounds.anchors).difference(*(found.anchors for found in every))
    if missing:
        wrong = f"line {min(anchor.number for anchor in missing)}, the anchor, is in none of these"
        raise ConfigError(f"{wrong} logs, or is not what stood there; name older files too")
    counted = sorted(chain.from_iterable(found.counted() for found in every), key=_signed)
    late = sum(len(found.signed) for found in every) - len(counted)
    unsigned = sum(len(found.waiting) for found in every)
    return Committed(tuple(logs), tuple(sorted(known)), tuple(counted), late, unsigned)


def _verified(
    files: Sequence[Path], keys: Mapping[str, Ed25519PublicKey], found: "_Found", *, live: bool
) -> Report:
    verification = Verification(keys)
    for path in in_order(files):
        verification.file(str(path), found.noting(lines(path)))
    log = verification.finish(live=live)
    if not log.whole:
        first = log.findings[0]
        wrong = f"{first.file}:{first.line}: {first.what}: {first.detail}"
        raise ConfigError(f"{wrong}; nothing counts of a log that is not whole: see audit verify")
    return log


def _signed(each: Commitment) -> tuple[datetime, int]:
    return each.signed, each.line


@dataclass(slots=True)
class _Found:
    """What passes by while one log is verified."""

    bounds: Bounds
    anchors: set[Tip] = field(default_factory=set)
    signed: list[Commitment] = field(default_factory=list)
    waiting: list[tuple[int, Marked]] = field(default_factory=list)
    """For a checkpoint."""

    def counted(self) -> list[Commitment]:
        """Within the bounds."""
        last = max((anchor.number for anchor in self.anchors), default=0)
        bounds = self.bounds
        return [
            each
            for each in self.signed
            if (bounds.before is None or each.signed < bounds.before)
            and (not bounds.anchors or each.line <= last)
        ]

    def noting(self, raws: Iterable[bytes]) -> Iterator[bytes]:
        for raw in raws:
            self._note(raw)
            yield raw

    def _note(self, raw: bytes) -> None:
        line = read(raw)
        if line is None:
            return
        here = Tip(line.said.n, line.claimed)
        if here in self.bounds.anchors:
            self.anchors.add(here)
        if line.said.kind == "mark":
            self.waiting.append((line.said.n, _marked(line.said.n, raw)))
        elif line.said.kind == "checkpoint" and line.said.time is not None:
            now = line.said.time
            self.signed += (Commitment(number, marked, now) for number, marked in self.waiting)
            self.waiting.clear()


def _marked(number: int, raw: bytes) -> Marked:
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        wrong = f"line {number} of the log is a mark that cannot be read"
        raise ConfigError(f"{wrong}; read it with the version that wrote it") from error
