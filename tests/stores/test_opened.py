from pathlib import Path

import pytest

from extproc.config import Config
from extproc.errors import ConfigError
from extproc.limits import Charge, Rate, Refused, Taken
from extproc.stores.leased import Leased
from extproc.stores.local_share import LocalShare
from extproc.stores.memory import MemoryCounters
from extproc.stores.opened import open_store
from extproc.stores.redis.servers import Cluster, Single
from tests.config.example import changed, loaded
from tests.e2e.authority import Authority

URL = "redis://user:hunter2@127.0.0.1:1/3"
LIMIT = Rate("burst/1s", max=10, window=1_000_000)


def config(folder: Path, store: str) -> Config:
    return loaded(folder, changed(("store: {kind: memory}", f"store: {store}")))


def test_without_more_counters_are_in_memory(tmp_path: Path) -> None:
    opened = open_store(loaded(tmp_path), {})
    assert isinstance(opened.counters, MemoryCounters)
    assert isinstance(opened.accounts, MemoryCounters)
    assert opened.redis is None


@pytest.mark.parametrize(
    ("topology", "servers"), [("single", Single), ("sentinel", Single), ("cluster", Cluster)]
)
def test_a_redis_has_the_servers_that_its_topology_says(
    tmp_path: Path, topology: str, servers: type
) -> None:
    text = f'{{kind: redis, url: "env:URL", topology: {topology}, prefix: mine, wait: 20ms}}'
    opened = open_store(config(tmp_path, text), {"URL": URL})
    assert opened.redis is not None
    assert {id(opened.counters), id(opened.accounts)} == {id(opened.redis)}
    assert isinstance(opened.redis.servers, servers)
    assert (opened.redis.shape.prefix, opened.redis.shape.wait) == ("mine", 0.02)


async def test_slices_stand_over_what_counts_while_the_store_is_away(tmp_path: Path) -> None:
    text = '{kind: redis, url: "env:URL", on_failure: {local: 0.5}, slices: {share: 0.1, for: 1s}}'
    opened = open_store(config(tmp_path, text), {"URL": URL})
    assert isinstance(opened.counters, Leased)
    assert isinstance(opened.local, LocalShare)
    await opened.start()
    try:
        charge = Charge(LIMIT, "acme", "", 1)
        outcomes = [await opened.counters.take([charge], final=True) for _ in range(7)]
        assert [isinstance(each, Taken) for each in outcomes] == [True] * 5 + [False] * 2
    finally:
        await opened.close()


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("http://u:hunter2@host", "it begins with none of redis://"),
        ("redis://u:hunter2@:6379", "it names no host"),
        ("redis://u:hunter2@host:hunter2", "its port is no number"),
        ("redis://u:hunter2@[host", "it is no URL"),
        ("redis://u:hunter2@host/hunter2", "its database is no number"),
    ],
)
def test_a_url_that_cannot_be_used_is_an_error_that_holds_nothing_of_it(
    tmp_path: Path, url: str, wrong: str
) -> None:
    with pytest.raises(ConfigError, match=rf"store\.url: the URL cannot be used: {wrong}") as error:
        open_store(config(tmp_path, '{kind: redis, url: "env:URL"}'), {"URL": url})
    assert "hunter2" not in str(error.value)


def test_what_is_no_text_is_an_error_that_holds_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "url").write_bytes(b"redis://hunter2\xff@host")
    with pytest.raises(ConfigError, match="it is no text") as error:
        open_store(config(tmp_path, '{kind: redis, url: "file:url"}'), {})
    assert "hunter2" not in str(error.value)


def test_certificates_that_cannot_be_used_are_an_error(tmp_path: Path) -> None:
    text = '{kind: redis, url: "env:URL", ca: nowhere.pem}'
    with pytest.raises(ConfigError, match="its certificates cannot be used"):
        open_store(config(tmp_path, text), {"URL": "rediss://127.0.0.1:1"})


@pytest.mark.parametrize("wait", ["50ms", "4ms", "1s"])
def test_no_request_waits_longer_than_it_may(tmp_path: Path, wait: str) -> None:
    text = f'{{kind: redis, url: "env:URL", wait: {wait}}}'
    with pytest.raises(ConfigError, match=r"store\.wait"):
        config(tmp_path, text)


async def test_what_cannot_be_reached_is_denied_or_counted_by_a_share(tmp_path: Path) -> None:
    text = '{kind: redis, url: "env:URL", on_failure: {local: 0.2}}'
    opened = open_store(config(tmp_path, text), {"URL": URL})
    await opened.start()
    assert isinstance(opened.local, LocalShare)
    charge = Charge(LIMIT, "acme", "alice", 1, 1)
    outcomes = [await opened.counters.take([charge], final=True) for _ in range(3)]
    assert [type(outcome) for outcome in outcomes] == [Taken, Taken, Refused]
    await opened.close()


async def test_by_tls_and_sentinels_it_is_opened_with_its_files(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    own = authority.issue("sidecar")
    text = (
        '{kind: redis, url: "env:URL", topology: sentinel, sentinel_password: "env:WATCH", '
        f"ca: ours.pem, certificate: {own.certificate.name}, key: {own.key.name}}}"
    )
    opened = open_store(config(tmp_path, text), {"URL": "rediss://127.0.0.1:1", "WATCH": "pw"})
    assert opened.redis is not None
    await opened.start()
    assert opened.redis.servers.link("").fault == "no Sentinel names a master"
    await opened.close()


def test_a_password_of_sentinels_that_is_missing_is_an_error(tmp_path: Path) -> None:
    text = '{kind: redis, url: "env:URL", topology: sentinel, sentinel_password: "env:WATCH"}'
    with pytest.raises(ConfigError, match=r"store\.sentinel_password: the variable WATCH"):
        open_store(config(tmp_path, text), {"URL": URL})


@pytest.mark.parametrize("on_failure", ["deny", "{local: 0.1}"])
async def test_slices_are_leased_from_what_there_would_be_without(
    tmp_path: Path, on_failure: str
) -> None:
    text = f'kind: redis, url: "env:URL", on_failure: {on_failure}'
    plain = open_store(config(tmp_path, f"{{{text}}}"), {"URL": URL})
    text += ", slices: {share: 0.1, for: 2s}"
    opened = open_store(config(tmp_path, f"{{{text}}}"), {"URL": URL})
    assert isinstance(opened.counters, Leased)
    assert isinstance(opened.counters._store, type(plain.counters))
    assert isinstance(opened.accounts, type(plain.accounts))
    assert len(opened.starts) == len(plain.starts) + 1
    assert len(opened.closes) == len(plain.closes) + 1


def test_a_slice_is_held_for_less_than_what_is_never_settled(tmp_path: Path) -> None:
    text = '{kind: redis, url: "env:URL", lease: 30s, slices: {for: 16s}}'
    with pytest.raises(
        ConfigError, match="held for 16s, and a lease ends after 30s; write a lease"
    ):
        open_store(config(tmp_path, text), {"URL": URL})
