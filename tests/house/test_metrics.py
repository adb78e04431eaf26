"""docs/metrics.md says what the registry has, and names follow Prometheus's conventions."""

import re
from pathlib import Path

from docs import metrics

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    assert metrics.filled(page) == page, "write it anew: python -m docs.metrics"


def test_every_label_that_is_described_is_there() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    for name, label in metrics.LABELS:
        assert re.search(rf"`{name}(_total|_info)?` .*`{label}`: ", page), (name, label)


def test_names_follow_the_conventions() -> None:
    for name, kind, labels, meaning in metrics.rows(metrics.collectors()):
        assert re.fullmatch(r"(extproc|process)_[a-z_]+", name)
        assert name.endswith("_total") == (kind == "counter")
        assert not re.search(r"milli|micro|_ms\b|kilo|_kb\b", name), "base units"
        assert kind != "histogram" or name.endswith("_seconds")
        assert meaning.endswith("."), name
        assert not re.search(r"`(key|principal|tenant|path|model|client)`: ", labels), name
