from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from extproc.server.store_telemetry import watch
from extproc.stores.opened import open_store
from tests.config.example import changed, loaded

MEMORY = {"extproc_store_counted_together"}
REDIS = {
    f"extproc_store_{name}"
    for name in ("up", "round_trips", "failures", "losses", "restored", "unsettled")
}
LOCAL = {f"extproc_store_local_{name}" for name in ("takes", "owed", "lost")}


@pytest.mark.parametrize(
    ("store", "names"),
    [
        ("{kind: memory}", MEMORY),
        ('{kind: redis, url: "env:URL"}', MEMORY | REDIS),
        ('{kind: redis, url: "env:URL", on_failure: {local: 0.1}}', MEMORY | REDIS | LOCAL),
    ],
)
def test_a_store_is_told_of_in_metrics(tmp_path: Path, store: str, names: set[str]) -> None:
    text = changed(("store: {kind: memory}", f"store: {store}"))
    opened = open_store(loaded(tmp_path, text), {"URL": "redis://127.0.0.1:1"})
    registry = CollectorRegistry()
    watch(opened, registry)
    found = {sample.name: sample.value for each in registry.collect() for sample in each.samples}
    assert found.keys() == names
    assert set(found.values()) == {0}
