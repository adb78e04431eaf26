"""The secrets that the guide has one make, and a real Redis with its committed file."""

import re
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.exceptions import AuthenticationError, NoPermissionError

from extproc.config import compile_table, load
from tests.k8s.guide import STANDALONE, Secrets
from tests.k8s.rendered import K8S, ROOT
from tests.stores.redis.rig import PATIENT, Server

RIGHTS = re.compile(r"resetchannels (?:\S+ )*\+cluster\|slots")


def test_the_secrets_of_the_guide_are_those_that_the_policy_reads(
    secrets: Secrets, tmp_path: Path
) -> None:
    assert secrets["extproc-redis"].keys() == {"users.acl"}
    for name, content in secrets["extproc-secrets"].items():
        (tmp_path / name).write_text(content)
    text = (K8S / "namespaces" / "standalone" / "policy.yaml").read_text()
    (tmp_path / "policy.yaml").write_text(text.replace("/etc/extproc/secrets", str(tmp_path)))
    compile_table(load(tmp_path / "policy.yaml"))


def test_the_user_of_the_guide_may_do_what_the_sidecar_does_and_no_more() -> None:
    """tests/stores/redis runs all there is under the other line."""
    there = RIGHTS.search((ROOT / "docs" / "redis.md").read_text())
    here = RIGHTS.search(STANDALONE.read_text())
    assert here is not None
    assert there is not None
    assert here[0] == there[0]


def client(store: Server, url: str) -> Any:
    address = url.replace("extproc-redis:6379", f"127.0.0.1:{store.port}")
    return redis.Redis.from_url(address, socket_timeout=PATIENT)


def test_strangers_and_other_keys_are_refused_and_nothing_is_evicted(
    store: Server, secrets: Secrets
) -> None:
    stranger = client(store, "redis://extproc-redis:6379")
    with stranger, pytest.raises(AuthenticationError):
        stranger.ping()
    with client(store, secrets["extproc-secrets"]["redis-url"]) as sidecar:
        assert sidecar.hset("extproc:{of-a-test}", "a", "1") == 1
        for forbidden in (
            lambda: sidecar.hset("other", "a", "1"),
            sidecar.flushall,
            lambda: sidecar.config_get("*"),
            sidecar.keys,
        ):
            with pytest.raises(NoPermissionError):
                forbidden()
        assert sidecar.info("memory")["maxmemory_policy"] == "noeviction"
        assert sidecar.info("persistence")["aof_enabled"] == 1
