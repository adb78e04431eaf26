"""Every law is tried on the whole corpus in CI, and on a sample of it by plain ``pytest``."""

from collections import Counter

import pytest

SAMPLE = 20
"""Of so many cases of a law one is tried each time."""

_seen: Counter[str] = Counter()


def pytest_itemcollected(item: pytest.Item) -> None:
    law = item.nodeid.partition("[")[0]
    if _seen[law] % SAMPLE:
        item.add_marker(pytest.mark.slow)
    _seen[law] += 1
