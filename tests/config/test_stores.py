from pathlib import Path

import pytest

from extproc.config.stores import LocalShare, MemoryStore, RedisStore
from extproc.errors import ConfigError
from tests.config.example import changed, loaded


def store(folder: Path, text: str) -> object:
    return loaded(folder, changed(("{kind: memory}", text))).settings.store


def test_a_memory_is_bounded_unless_told_otherwise(tmp_path: Path) -> None:
    assert store(tmp_path, "{kind: memory}") == MemoryStore(100_000, 10_000, 300_000, "15m")
    assert store(tmp_path, "{kind: memory, share: 7, lease: 1m}") == MemoryStore(
        share=7, lease="1m"
    )


def test_a_redis_denies_while_it_is_away_unless_told_otherwise(tmp_path: Path) -> None:
    assert store(tmp_path, '{kind: redis, url: "env:URL"}') == RedisStore("env:URL")
    assert RedisStore("env:URL").on_failure == "deny"
    told = store(tmp_path, '{kind: redis, url: "env:URL", on_failure: {local: 0.25}}')
    assert told == RedisStore("env:URL", on_failure=LocalShare(0.25))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{kind: redis, url: "redis://u:hunter2@host"}', "store.url"),
        ('{kind: redis, url: "env:URL", on_failure: {local: 0}}', "store.on_failure.local"),
        ('{kind: redis, url: "env:URL", on_failure: {local: 1.5}}', "store.on_failure.local"),
        ('{kind: redis, url: "env:URL", on_failure: allow}', "store.on_failure"),
        ('{kind: redis, url: "env:URL", wait: 50ms}', "store.wait"),
        ('{kind: redis, url: "env:URL", prefix: "a{b"}', "store.prefix"),
        ('{kind: redis, url: "env:URL", topology: twemproxy}', "store.topology"),
        ('{kind: redis, url: "env:URL", max_counters: 5}', "store.max_counters"),
    ],
)
def test_what_no_store_can_be_is_an_error_at_its_place(
    tmp_path: Path, text: str, place: str
) -> None:
    with pytest.raises(ConfigError) as error:
        store(tmp_path, text)
    assert f": {place}: " in str(error.value)
    assert "hunter2" not in str(error.value)
