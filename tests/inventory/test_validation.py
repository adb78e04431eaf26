"""What a route asks of its requests is told by bounds and numbers, never by values."""

from pathlib import Path
from typing import Any

import pytest

from extproc.inventory.validation import size
from tests.inventory.policies import CHAT, INFER, policy, surface, surveyed


def checks(folder: Path, index: int, route: str, **asked: Any) -> tuple[str, ...]:
    data = policy()
    data["routes"][index]["input"] = asked
    return surface(surveyed(folder, data), route).request.checks


def test_a_body_has_a_bound_wherever_nothing_is_said(tmp_path: Path) -> None:
    assert checks(tmp_path, 1, CHAT) == ("body 1 MiB (caps.request)",)


def test_all_that_is_asked_is_told(tmp_path: Path) -> None:
    (tmp_path / "chat.json").write_text('{"type": "object"}')
    asked = {
        "body": "64KiB",
        "headers": "8KiB",
        "depth": 8,
        "array": 200,
        "string": 1000,
        "schema": "file:chat.json",
        "fields": {"temperature": {"min": 0, "max": 1.5}},
    }
    assert checks(tmp_path, 1, CHAT, **asked) == (
        "body 64 KiB",
        "header fields 8 KiB",
        "depth 8",
        "arrays 200",
        "strings 1000",
        "a JSON Schema",
        "rules for fields: 1",
    )


def test_tensors_are_counted(tmp_path: Path) -> None:
    asked = {"batch": 4, "tensors": {"a": {"datatype": "FP32"}, "b": {"datatype": "FP32"}}}
    assert checks(tmp_path, 2, INFER, **asked) == (
        "body 1 MiB",
        "batch 4",
        "rules for tensors: 2, and no others",
    )


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (1, "1 bytes"),
        (1000, "1000 bytes"),
        (65536, "64 KiB"),
        (1 << 20, "1 MiB"),
        (3 << 30, "3 GiB"),
    ],
)
def test_sizes_are_whole(octets: int, text: str) -> None:
    assert size(octets) == text
