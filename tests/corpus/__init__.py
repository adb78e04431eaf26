"""Bodies as model servers and clients write them, byte for byte: one file each, by dialect."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).parent


def body(name: str) -> bytes:
    """The file of this name, ``openai_chat/answer.json`` for example."""
    return (_HERE / name).read_bytes()


def answers(dialect: str) -> list[bytes]:
    """Every answer of a dialect: whole documents, and each event of a stream (``.jsonl``)."""
    files = sorted((_HERE / dialect).iterdir())
    documents = [file.read_bytes() for file in files if file.name.startswith("answer")]
    return documents + [
        line for file in files if file.suffix == ".jsonl" for line in file.read_bytes().splitlines()
    ]


def sweep(dialects: Collection[str]) -> dict[str, dict[str, Any]]:
    """The exchanges of these dialects with a secret in every field, by name."""
    found = {path.stem: json.loads(path.read_bytes()) for path in (_HERE / "sweep").glob("*.json")}
    return {name: found[name] for name in sorted(found) if _kind(found[name]) in dialects}


def _kind(exchange: dict[str, Any]) -> str:
    dialect = exchange["dialect"]
    return str(dialect["kind"] if isinstance(dialect, dict) else dialect)
