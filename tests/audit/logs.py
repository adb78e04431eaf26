"""Logs in memory: files as lists of lines."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from extproc.audit import Act, Enforced, Marked, Record, Seen, Suspected
from extproc.audit.chain import Chain, Tip
from extproc.audit.record import Gap
from extproc.audit.signature import name
from extproc.audit.verification import Report, Verification

KEY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"b" * 32)
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
EVERY = 4

File = list[bytes]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def record(number: int = 0, **more: object) -> Record:
    return Record(at(number), f"e{number}", "served", tenant="acme", **more)  # type: ignore[arg-type]


def act(number: int = 0, **more: object) -> Act:
    said: dict[str, object] = {"act": "freeze", "uid": 1000, "pid": 7, "who": "ops"}
    return Act(at(number), tenant="acme", **{**said, **more})  # type: ignore[arg-type]


def suspected(number: int = 0, **more: object) -> Suspected:
    said: dict[str, object] = {"finding": f"f{number}", "subject": "acme", "after": "fidelity"}
    return Suspected(at(number), tenant="acme", **{**said, **more})  # type: ignore[arg-type]


def enforced(number: int = 0, **more: object) -> Enforced:
    said: dict[str, object] = {"before": "one", "cause": "files"}
    return Enforced(at(number), "two", **{**said, **more})  # type: ignore[arg-type]


def marked(number: int = 0) -> Marked:
    whose = ("acme", "pair", "POST /v1/classify", "digits")
    return Marked(at(number), f"e{number}", *whose, f"{number:032x}", "mark", "ab" * 32)


def seen(number: int = 0) -> Seen:
    return Seen(at(number), f"e{number}", "acme", features={"outcome": "served", "queries": 1})


def chain(tip: Tip | None = None, key: Ed25519PrivateKey = KEY) -> Chain:
    return Chain(key.sign, name(key.public_key()), tip)


def lines(data: bytes) -> File:
    return data.splitlines(keepends=True)


def written(*counts: int, key: Ed25519PrivateKey = KEY, crash: bool = False) -> list[File]:
    """A log that ended well: so many records in each file, a checkpoint after every fourth."""
    log, files = chain(key=key), list[File]()
    for index, count in enumerate(counts):
        file = lines(log.opening(at(index), EVERY))
        for number in range(count):
            if log.unsigned == EVERY:
                file.append(log.checkpoint(at(number)))
            file.append(log.record(record(number)))
        if crash:
            file += [log.gap(Gap(at(count), "crash", torn=3)), log.checkpoint(at(count))]
        end = "stopped" if index == len(counts) - 1 else "rotated"
        file.append(log.checkpoint(at(count), end))  # type: ignore[arg-type]
        files.append(file)
    return files


def verified(
    files: Iterable[Sequence[bytes]],
    *,
    live: bool = False,
    known: Tip | None = None,
    keys: Sequence[Ed25519PrivateKey] = (KEY,),
) -> Report:
    publics = [key.public_key() for key in keys]
    verification = Verification({name(key): key for key in publics}, known)
    for number, file in enumerate(files, 1):
        verification.file(f"log.{number}", file)
    return verification.finish(live=live)


def told(report: Report) -> list[tuple[str, int, str, int | None]]:
    return [(found.file, found.line, found.what, found.count) for found in report.findings]
