"""The policy file of the guides, and requests to it that are played."""

from pathlib import Path
from typing import Any

import orjson

from extproc.config import Config, load
from extproc.policy import PolicyTable
from extproc.rehearsal.explanation import Explanation, explain
from extproc.rehearsal.play import Played, play
from extproc.rehearsal.request import Caller, assuming, checked, with_type
from extproc.rehearsal.stand_ins import table_without_secrets

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "examples" / "entitlement.yaml"
NOW = 1_800_000_000.0
CHAT = "POST /v1/chat/completions"
EMBEDDINGS = "POST /v1/embeddings"
INFER = "POST /v2/models/digits/infer"


def example(folder: Path, *changes: tuple[str, str]) -> Config:
    """The file with each first string, which must stand in it, replaced by the second."""
    text = FILE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    schema = FILE.parent / "chat.schema.json"
    (folder / "chat.schema.json").write_bytes(schema.read_bytes())
    return load(folder / "policy.yaml")


def table(config: Config) -> PolicyTable:
    return table_without_secrets(config)


def chat(model: str = "text-a", **more: Any) -> bytes:
    return orjson.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}], **more})


def played(
    config: Config,
    line: str,
    body: bytes | None = None,
    caller: Caller | None = None,
    model: str = "",
    **headers: str,
) -> Played:
    found = assuming(table(config), config, caller or Caller("acme"))
    request = checked(line, with_type({k.replace("_", "-"): v for k, v in headers.items()}, body))
    return play(found, request, body, NOW, model)


def explained(config: Config, *arguments: Any, **more: Any) -> Explanation:
    return explain(config, table(config), played(config, *arguments, **more))
