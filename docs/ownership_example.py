"""Have ``extproc ownership`` look at a copy, always the same, for the outputs of ownership.md.

Usage: ``python docs/ownership_example.py COMMAND...``, each as in ``extproc ownership
commitments``; they run beside the files that are named there.  acme made a copy of what it was
told, and its copy repeats three quarters of the marks; globex was told as much, and two resellers
of one cohort half of that together.
"""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from extproc.audit import Marked
from extproc.audit.chain import Chain
from extproc.audit.signature import name, private_key
from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.config.vault_key import new_pair
from extproc.marks.entry import INFO, SUITE, Entry, Line, commitment, recipient
from extproc.ownership.questions import about

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CLASSES = ("card", "cash", "limits", "transfers")
TELLERS = (("acme", ""), ("globex", ""), ("initech", "resellers"), ("umbrella", "resellers"))
MARKS, CONTROLS = 90, 720


def entries() -> list[Entry]:
    chance, found = Random(1), list[Entry]()
    for at, (tenant, cohort) in enumerate(TELLERS):
        share = 4 if cohort else 1
        stamps = ["mark"] * (MARKS // share) + ["control"] * (CONTROLS // share)
        chance.shuffle(stamps)
        for number, stamp in enumerate(stamps):
            truth, other = chance.sample(CLASSES, 2)
            found.append(
                msgspec.convert(
                    {
                        "salt": chance.randbytes(16).hex(),
                        "time": (START + timedelta(hours=number)).isoformat(),
                        "tenant": tenant,
                        "cohort": cohort,
                        "route": "POST /v1/classify",
                        "model": "intents",
                        "epoch": 1,
                        "cell": f"{at}-{number}",
                        "stamp": stamp,
                        "input": msgspec.Raw(msgspec.json.encode(f"question {at}-{number}")),
                        "truth": truth,
                        "other": other,
                    },
                    Entry,
                )
            )
    return sorted(found, key=lambda entry: entry.time)


def write(folder: Path) -> None:
    """The log, the vault, the keys, and what two suspects said."""
    every, chance = entries(), Random(2)
    keep(folder, every)
    (folder / "suspect.jsonl").write_bytes(b"".join(said(each, chance, 0.75) for each in every))
    (folder / "clean.jsonl").write_bytes(b"".join(said(each, chance, 0.0) for each in every))


def keep(folder: Path, every: list[Entry]) -> None:
    """In a log and a vault, with keys of their own."""
    private, public = new_signing_pair()
    sealing, sealed_to = new_pair()
    for file, text in {"audit.pem": private, "audit.pem.pub": public, "vault.pem": sealing}.items():
        (folder / file).write_bytes(text)
    lines, vault = logged(every, private_key(private), sealed_to)
    (folder / "audit.jsonl").write_bytes(b"".join(lines))
    (folder / "marks.vault").write_bytes(b"".join(vault))


def logged(
    every: list[Entry], key: Ed25519PrivateKey, public: bytes
) -> tuple[list[bytes], list[bytes]]:
    chain, known = Chain(key.sign, name(key.public_key())), recipient(public)
    lines, vault = [chain.opening(START, 1000)], list[bytes]()
    for number, entry in enumerate(every, 1):
        octets, now = msgspec.json.encode(entry), datetime.fromisoformat(entry.time)
        line = Line(commitment(octets), SUITE.encrypt(octets, known, INFO))
        vault.append(msgspec.json.encode(line) + b"\n")
        fields = ("tenant", "cohort", "route", "model", "cell", "stamp")
        more = {field: getattr(entry, field) for field in fields}
        lines.append(chain.record(Marked(time=now, request="", commitment=line.commitment, **more)))
        if number % 500 == 0:
            lines.append(chain.checkpoint(now))
    lines.append(chain.checkpoint(now, "stopped"))
    return lines, vault


def said(entry: Entry, chance: Random, repeated: float) -> bytes:
    """It is wrong about some, as all models are, and repeats some marks of acme."""
    marked = entry.stamp == "mark" and entry.tenant == "acme" and chance.random() < repeated
    label = entry.other if marked or chance.random() < 0.03 else entry.truth
    question = about(msgspec.json.decode(bytes(entry.input))).question
    return msgspec.json.encode({"question": question, "label": label}) + b"\n"


def run(write: Callable[[Path], None]) -> None:
    """The commands that the script was called with, beside what is written."""
    with tempfile.TemporaryDirectory() as made:
        write(Path(made))
        for number, command in enumerate(sys.argv[1:]):
            print(f"{chr(10) * bool(number)}$ {command}", flush=True)
            words = [sys.executable, "-m", *shlex.split(command)]
            ended = subprocess.run(words, cwd=made, stderr=subprocess.STDOUT, check=False)
            print(f"exit code {ended.returncode}", flush=True)


if __name__ == "__main__":
    run(write)
