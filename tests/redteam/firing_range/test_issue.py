"""Tenants and keys for attackers, in a policy file of the operator's."""

import re
import stat
from pathlib import Path

import pytest
import yaml

from extproc.redteam.firing_range.issue import (
    CALIBRATION,
    LOG,
    LOG_KEY,
    VAULT,
    VAULT_KEY,
    Party,
    issue,
    principal,
    shares,
)

PARTIES = [
    Party("pair", "gold", keys=4, tenants=2),
    Party("strangers", "gold", keys=2, tenants=2, cohort=False),
]
POLICY = {"policies": {"gold": {"mutators": []}}, "tenants": {"old": {}}, "bits": {"per": 1}}


def _source(directory: Path, text: str = "") -> Path:
    path = directory / "source.yaml"
    path.write_text(text or yaml.safe_dump(POLICY))
    return path


def _issued(directory: Path, seed: int = 1, parties: list[Party] = PARTIES) -> tuple[str, ...]:
    into = directory / f"{seed}-{len(list(directory.iterdir()))}"
    into.mkdir()
    issued = issue(_source(directory), into, seed, parties, "127.0.0.1:1")
    return tuple(key for keys in issued.keys.values() for key in keys)


def test_what_a_policy_grants_stays_and_only_attackers_are_let_in(tmp_path: Path) -> None:
    issued = issue(_source(tmp_path), tmp_path, 1, PARTIES, "127.0.0.1:1")
    written = yaml.safe_load(issued.policy.read_text())
    assert (written["policies"], written["bits"]) == (POLICY["policies"], POLICY["bits"])
    assert written["store"] == {"kind": "memory"}
    assert written["tenants"].keys() == {"pair-0", "pair-1", "strangers-0", "strangers-1"}
    secret = (tmp_path / "hmac").read_text()
    dealt = [principal(issued.keys["pair"][at], secret) for at in (1, 3)]
    assert written["tenants"]["pair-1"] == {
        "policy": "gold",
        "principals": dealt,
        "cohort": "pair",
    }
    assert "cohort" not in written["tenants"]["strangers-0"]
    assert stat.S_IMODE((tmp_path / "hmac").stat().st_mode) == 0o600


def test_what_detects_has_a_calibration_of_the_ranges_and_tells_nobody(tmp_path: Path) -> None:
    detection = {"reference": "own", "half_life": "1d", "alerts": [{"url": "https://a.example"}]}
    policies = {"gold": {"traffic": "batch"}, "tin": {}, "lead": {"traffic": "batch"}}
    source = _source(tmp_path, yaml.safe_dump({"detection": detection, "policies": policies}))
    issued = issue(source, tmp_path, 1, PARTIES, "127.0.0.1:1")
    written = yaml.safe_load(issued.policy.read_text())
    kept = {"reference": CALIBRATION, "half_life": "1d", "alerts": []}
    assert written["detection"] == kept
    assert issued.traffic == ("batch", "user")


def test_what_is_kept_is_the_ranges_own_and_nothing_is_where_nothing_was(tmp_path: Path) -> None:
    """Planted: the operator's own paths, which a run would write to."""
    kept = {
        "audit": {
            "path": "/var/log/audit.jsonl",
            "key": "env:KEY",
            "pseudonyms": "file:secrets/pseudonyms",
            "checkpoint": {"within": "1s"},
        },
        "ownership": {"vault": "/var/lib/marks", "recipient": "env:PUBLIC", "queue": 7},
    }
    source = _source(tmp_path, yaml.safe_dump(POLICY | kept))
    issued = issue(source, tmp_path, 1, PARTIES, "127.0.0.1:1")
    written = yaml.safe_load(issued.policy.read_text())
    own = {"path": LOG, "key": f"file:{LOG_KEY}", "checkpoint": {"within": "1s"}}
    assert written["audit"] == own
    vault = {"vault": VAULT, "recipient": f"file:{VAULT_KEY}.pub", "queue": 7}
    assert written["ownership"] == vault
    assert issued.kept == (LOG, VAULT)
    (tmp_path / "plain").mkdir()
    plain = issue(_source(tmp_path), tmp_path / "plain", 1, PARTIES, "127.0.0.1:1")
    assert plain.kept == ()
    assert {"audit", "ownership"}.isdisjoint(yaml.safe_load(plain.policy.read_text()))


def test_what_does_not_detect_needs_none(tmp_path: Path) -> None:
    issued = issue(_source(tmp_path), tmp_path, 1, PARTIES, "127.0.0.1:1")
    assert issued.traffic == ()
    assert "detection" not in yaml.safe_load(issued.policy.read_text())


def test_replicas_count_in_the_ranges_redis_the_way_the_file_says(tmp_path: Path) -> None:
    own = {"kind": "redis", "url": "env:U", "topology": "sentinel", "slices": {"share": 0.1}}
    source = _source(tmp_path, yaml.safe_dump(POLICY | {"store": own}))
    url = "unix:///run/redis.sock"
    issued = issue(source, tmp_path, 1, PARTIES, "127.0.0.1:1", redis=url)
    written = yaml.safe_load(issued.policy.read_text())
    assert written["store"] == {"kind": "redis", "slices": {"share": 0.1}, "url": "file:redis"}
    assert (tmp_path / "redis").read_text() == url
    assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o600


def test_one_replica_counts_in_memory_whatever_the_file_says(tmp_path: Path) -> None:
    source = _source(tmp_path, yaml.safe_dump(POLICY | {"store": {"kind": "redis"}}))
    issued = issue(source, tmp_path, 1, PARTIES, "127.0.0.1:1")
    assert yaml.safe_load(issued.policy.read_text())["store"] == {"kind": "memory"}


@pytest.mark.parametrize(
    ("store", "shared"),
    [({"kind": "redis"}, True), ({"kind": "memory"}, False), ("redis", False), (None, False)],
)
def test_a_file_with_a_redis_has_its_replicas_count_together(
    tmp_path: Path, store: object, shared: bool
) -> None:
    assert shares(_source(tmp_path, yaml.safe_dump(POLICY | {"store": store}))) is shared


def test_keys_follow_from_the_seed_and_the_party_alone(tmp_path: Path) -> None:
    keys = _issued(tmp_path)
    assert len(set(keys)) == 6
    assert all(re.fullmatch(r"xk-[0-9a-f]{43}", key) for key in keys)
    assert _issued(tmp_path) == keys
    assert _issued(tmp_path, parties=PARTIES[::-1]) == keys[4:] + keys[:4]
    assert set(_issued(tmp_path, seed=2)).isdisjoint(keys)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("policies: {}", "there is no policy 'gold'"),
        ("[1]", "this is no policy file"),
        ("a: [", "while parsing"),
    ],
)
def test_what_is_no_policy_file_is_said_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    source = _source(tmp_path, text)
    with pytest.raises(ValueError, match=re.escape(f"{source}: {said}")):
        issue(source, tmp_path, 1, PARTIES, "127.0.0.1:1")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.yaml: .*No such file"):
        issue(tmp_path / "gone.yaml", tmp_path, 1, PARTIES, "127.0.0.1:1")
