"""docs/limits.md: its YAML is of a file that loads, and says all that can be counted."""

import re
from pathlib import Path
from typing import get_args

import pytest

from extproc.config import compile_table, load
from extproc.limits import Scope, Unit

DOCS = Path(__file__).parents[2] / "docs"
FILE = DOCS / "examples" / "limits.yaml"
GUIDE = (DOCS / "limits.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```\n", GUIDE, re.DOTALL)


def test_the_file_loads() -> None:
    table = compile_table(load(FILE), {"EXTPROC_HMAC_KEY": "0123456789abcdef" * 3})
    embeds, chats = (
        table.policies["acme", f"POST /v1/{of}"] for of in ("embeddings", "chat/completions")
    )
    assert [limit.name for limit in chats.limits] == ["burst", "house"]
    late = ["machine", "minute", "parallel", "day", "month", "user", "trial"]
    assert [limit.name for limit in chats.reserved] == late
    assert [limit.name for limit in embeds.reserved] == ["machine", "family", *late[1:]]


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_guide_shows_is_of_that_file(block: str) -> None:
    assert block in FILE.read_text(encoding="utf-8")


def test_the_guide_names_all_that_is_counted_and_told_apart() -> None:
    assert len(BLOCKS) == 4
    assert [name for name in (*get_args(Unit), *get_args(Scope)) if f"`{name}`" not in GUIDE] == []
