"""An empty folder with keys, a log and a vault."""

from pathlib import Path

import pytest

from tests.ownership.making import Made


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)
