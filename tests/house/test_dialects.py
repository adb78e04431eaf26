"""The page of the dialects says what the code does, and every API that is known has its place."""

from pathlib import Path
from typing import get_args

import pytest

from docs import dialects
from extproc.dialects import Dialect

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8")
TRAPS = [
    "/invocations",
    ":rawPredict",
    ":streamRawPredict",
    ":explain",
    "/explanations",
    "/tokenize",
    "/detokenize",
    "/decode",
    "/inference/v1/generate",
    "/v1/models",
    "/info",
    "/metrics",
    "/version",
    "/server_info",
    "/v2/repository",
    "/config",
    "/stats",
    "/trace",
    "sharedmemory",
    "GetModelMetadata",
    "RecordIO",
    "x-npy",
    "8081",
]
"""Other ways to the same inference, and to what it is made of."""


def test_the_page_is_what_the_code_says() -> None:
    assert dialects.filled(PAGE) == PAGE, "run: make docs"


def test_a_page_that_is_not_current_would_be_found() -> None:
    stale = PAGE.replace("`top_logprobs` | ", "`top_logprobs` | passes; ", 1)
    assert stale != PAGE
    assert dialects.filled(stale) == PAGE


@pytest.mark.parametrize("kind", get_args(Dialect))
def test_every_dialect_has_its_section(kind: type[Dialect]) -> None:
    tag = str(kind.__struct_config__.tag)
    assert PAGE.count(f"\n## {tag}\n") == 1
    assert f"[`{tag}`](#{tag})" in PAGE


@pytest.mark.parametrize("trap", TRAPS)
def test_every_other_way_to_an_inference_is_said_to_be_denied_or_has_a_dialect(trap: str) -> None:
    assert trap in PAGE
