"""An audit log, a vault and keys, written as the sidecar writes them, and a suspect's answers."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from extproc.audit import Marked
from extproc.audit.chain import Chain
from extproc.audit.signature import name, private_key
from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.config.vault_key import new_pair
from extproc.marks.entry import INFO, SUITE, Entry, Line, commitment, recipient
from extproc.marks.stamps import Stamp
from extproc.ownership.questions import about

DAY = datetime(2026, 3, 1, tzinfo=UTC)
SIGNING = new_signing_pair()
SEALING = new_pair()
CLASSES = 10


@dataclass(slots=True)
class Made:
    """A folder with all that `verify` reads."""

    folder: Path
    chain: Chain = field(init=False)
    lines: list[bytes] = field(default_factory=list)
    sealed: list[bytes] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    now: datetime = DAY

    def __post_init__(self) -> None:
        for named, (private, public) in {"audit": SIGNING, "vault": SEALING}.items():
            (self.folder / f"{named}.pem").write_bytes(private)
            (self.folder / f"{named}.pub").write_bytes(public)
        key = private_key(SIGNING[0])
        self.chain = Chain(key.sign, name(key.public_key()))
        self.lines.append(self.chain.opening(self.now, 1000))

    @property
    def log(self) -> Path:
        return self.folder / "audit.jsonl"

    @property
    def vault(self) -> Path:
        return self.folder / "marks.vault"

    def mark(self, number: int, stamp: Stamp, *, committed: bool = True, **more: Any) -> Entry:
        """A cell of its own for each number and tenant; the true class and the next hang on it."""
        fields = {"tenant": "acme", "cohort": "", "model": "digits", "route": "POST /infer"} | more
        entry = Entry(
            salt=secrets.token_hex(16),
            time=self.now.isoformat(),
            epoch=1,
            cell=f"{number:x}",
            stamp=stamp,
            input=msgspec.Raw(msgspec.json.encode([["image", row(number)]])),
            truth=number % CLASSES,
            other=(number + 1) % CLASSES,
            **fields,
        )
        return self.keep(entry, committed=committed)

    def keep(self, entry: Entry, *, committed: bool = True, vault: bool = True) -> Entry:
        """As the vault and the log do."""
        octets = msgspec.json.encode(entry)
        line = Line(commitment(octets), SUITE.encrypt(octets, recipient(SEALING[1]), INFO))
        self.entries.append(entry)
        if vault:
            self.sealed.append(msgspec.json.encode(line) + b"\n")
        if committed:
            marked = Marked(
                time=self.now,
                request="r",
                tenant=entry.tenant,
                cohort=entry.cohort,
                route=entry.route,
                model=entry.model,
                cell=entry.cell,
                stamp=entry.stamp,
                commitment=line.commitment,
            )
            self.lines.append(self.chain.record(marked))
        return entry

    def some(self, marks: int, controls: int, start: int = 0, **more: Any) -> None:
        for number in range(marks + controls):
            self.mark(start + number, "mark" if number < marks else "control", **more)

    def checkpoint(self, days: int = 0) -> None:
        """Of what stands there; so many days later."""
        self.now += timedelta(days=days)
        self.lines.append(self.chain.checkpoint(self.now))

    def write(self) -> None:
        """Ended as it should."""
        self.lines.append(self.chain.checkpoint(self.now, "stopped"))
        self.log.write_bytes(b"".join(self.lines))
        self.vault.write_bytes(b"".join(self.sealed))

    def options(self) -> list[str]:
        named = {
            "--key": self.folder / "audit.pub",
            "--vault": self.vault,
            "--vault-key": self.folder / "vault.pem",
        }
        return [str(self.log), *(p for name, path in named.items() for p in (name, str(path)))]


def row(number: int) -> list[float]:
    return [float(x) for x in np.random.default_rng(number).integers(0, 16, 8)]


def question(entry: Entry) -> str:
    return about(msgspec.json.decode(bytes(entry.input))).question


def copied(entries: Iterable[Entry], **whose: str) -> dict[str, Sequence[str]]:
    """What a copy says of what it learnt from them: what each was told."""
    told: dict[str, Sequence[str]] = {}
    for entry in entries:
        mine = all(getattr(entry, name) == value for name, value in whose.items())
        label = entry.other if entry.stamp == "mark" and mine else entry.truth
        told.setdefault(question(entry), (str(label),))
    return told


def recorded(path: Path, said: Mapping[str, Sequence[str]]) -> Path:
    lines = ({"question": question, "label": names[0]} for question, names in said.items())
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return path
