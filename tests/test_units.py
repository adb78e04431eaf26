import re
from typing import get_args

import pytest

from extproc.units import Duration, octets, seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("250ms", 0.25), ("1s", 1.0), ("30s", 30.0), ("5m", 300.0), ("2h", 7200.0), ("1d", 86_400.0)],
)
def test_durations_are_seconds(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    ("size", "value"),
    [(7, 7), ("512B", 512), ("256KiB", 262_144), ("1MiB", 1_048_576), ("2GiB", 2_147_483_648)],
)
def test_sizes_are_bytes(size: int | str, value: int) -> None:
    assert octets(size) == value


@pytest.mark.parametrize("text", ["0s", "1", "1.5s", "-1s", "1 s", "01s", "1w", "1S", "1000000s"])
def test_what_is_no_duration_does_not_match(text: str) -> None:
    (meta,) = get_args(Duration)[1:]
    assert re.search(meta.pattern, text) is None
