"""Every law is tried on the whole corpus in CI, and on a sample of it by plain ``pytest``."""

from collections import Counter
from pathlib import Path

import pytest

SAMPLE = 20
"""Of so many cases of a law one is tried each time."""


@pytest.hookimpl(tryfirst=True)  # before the marks are looked at
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seen: Counter[str] = Counter()
    for item in items:
        if item.path.parent == Path(__file__).parent:
            law = item.nodeid.partition("[")[0]
            if seen[law] % SAMPLE:
                item.add_marker(pytest.mark.slow)
            seen[law] += 1
