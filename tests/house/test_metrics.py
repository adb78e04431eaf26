"""docs/metrics.md says what the registry has, and names follow Prometheus's conventions."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("metrics_page", ROOT / "docs" / "metrics.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(script: ModuleType) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    assert script.filled(page) == page, "write it anew: python docs/metrics.py"


def test_every_label_that_is_described_is_there(script: ModuleType) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    for name, label in script.LABELS:
        assert re.search(rf"`{name}(_total|_info)?` .*`{label}`: ", page), (name, label)


def test_names_follow_the_conventions(script: ModuleType) -> None:
    for name, kind, labels, meaning in script.rows(script.collectors()):
        assert re.fullmatch(r"(extproc|process)_[a-z_]+", name)
        assert name.endswith("_total") == (kind == "counter")
        assert not re.search(r"milli|micro|_ms\b|kilo|_kb\b", name), "base units"
        assert kind != "histogram" or name.endswith("_seconds")
        assert meaning.endswith("."), name
        assert not re.search(r"`(key|principal|tenant|path|model|client)`: ", labels), name
