"""Bodies as model servers and clients write them, byte for byte: one file each, by dialect."""

from pathlib import Path
from typing import Final

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
