"""The keys of a file as they are looked up, of a few and of many."""

import gc
import math
from pathlib import Path

import pytest
from msgspec import structs

from extproc.cause import Cause
from extproc.config import compile_table, load
from extproc.config.key_file import KeyLine, encoded
from extproc.config.keyring import ends, load_keyring
from extproc.credentials import Proof
from extproc.errors import ConfigError
from extproc.events import CheckedRequest
from tests.config import scale
from tests.config.test_key_file import HASH, KEY, written

TENANTS = ["acme", "beta"]
OTHER = structs.replace(KEY, id="k2", prefix="xk-k2", hash=HASH[::-1], tenant="beta")


def test_a_key_is_known_by_the_first_octets_of_its_hash(tmp_path: Path) -> None:
    expiring = structs.replace(OTHER, expires=scale.EXPIRES)
    path = written(tmp_path, encoded(KEY) + encoded(expiring))
    keys = load_keyring(path, TENANTS, (), 2).keys
    first, second = keys[bytes.fromhex(HASH)[:16]], keys[bytes.fromhex(HASH[::-1])[:16]]
    assert (first.id, first.tenant, first.until) == ("k1", "acme", math.inf)
    assert (second.id, second.tenant, second.until) == ("k2", "beta", scale.EXPIRES.timestamp())
    assert len(keys) == 2


def test_a_revoked_key_never_proves_anything_again(tmp_path: Path) -> None:
    revoked = structs.replace(KEY, revoked=scale.EXPIRES, expires=scale.EXPIRES)
    keys = load_keyring(written(tmp_path, encoded(revoked)), TENANTS, (), 1).keys
    assert [key.until for key in keys.values()] == [-math.inf]


def test_keys_end_by_what_their_file_says_whatever_a_policy_does(tmp_path: Path) -> None:
    revoked = structs.replace(KEY, revoked=scale.EXPIRES, tenant="nobody-knows")
    expiring = structs.replace(OTHER, expires=scale.EXPIRES)
    lasting = structs.replace(OTHER, id="k3", hash="f" * 64)
    path = written(tmp_path, b"".join(map(encoded, (revoked, lasting, expiring))))
    first = bytes.fromhex(HASH)[:16], -math.inf
    second = bytes.fromhex(HASH[::-1])[:16], scale.EXPIRES.timestamp()
    assert [*ends(path, 3)] == [first, second]
    assert [*ends(path, 2)] == [first]
    with pytest.raises(ConfigError, match=r":1: an unknown field"):
        [*ends(written(tmp_path, b'{"ids": 1}\n'), 3)]


def test_the_version_is_that_of_what_the_file_says(tmp_path: Path) -> None:
    def version(*keys: KeyLine) -> bytes:
        path = written(tmp_path, b"".join(map(encoded, keys)))
        return load_keyring(path, TENANTS, (), 9).version

    assert version(KEY) == version(KEY)
    assert len({version(KEY), version(KEY, OTHER), version(OTHER, KEY), version()}) == 4
    assert version(structs.replace(KEY, revoked=scale.EXPIRES)) != version(KEY)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            structs.replace(OTHER, tenant="acmee"),
            "tenant: there is no tenant 'acmee'; did you mean 'acme'?",
        ),
        (
            structs.replace(OTHER, hash="f" * 64),
            (
                "hash: listed in the policy too, among a tenant's principals; "
                "remove one of the two: a key has one owner"
            ),
        ),
        (
            structs.replace(OTHER, id="k1"),
            "id: repeated, first on line 1; remove one of the two",
        ),
        (
            structs.replace(OTHER, hash=HASH),
            "hash: repeated, first on line 1; remove one of the two",
        ),
        (
            structs.replace(OTHER, hash=HASH[:32] + "0" * 32),
            "a key that stands before it too; remove one of the two",
        ),
    ],
)
def test_a_key_that_cannot_stand_there_is_told_by_its_line(
    tmp_path: Path, second: KeyLine, message: str
) -> None:
    path = written(tmp_path, encoded(KEY) + encoded(second))
    with pytest.raises(ConfigError) as caught:
        load_keyring(path, TENANTS, [f"key:{'f' * 64}", "mtls:acme"], 9)
    assert str(caught.value) == f"{path}:2: {message}"


def test_there_are_not_more_keys_than_are_allowed(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(KEY) + encoded(OTHER))
    with pytest.raises(ConfigError) as caught:
        load_keyring(path, TENANTS, (), 1)
    assert str(caught.value) == f"{path}:2: more than 1 keys; remove old ones, or raise max_keys"


KEYS, MANY = 20_000, 1000


def test_of_many_tenants_and_keys_each_is_who_it_is(tmp_path: Path) -> None:
    """Smaller than what tests/bench/loading.py measures, and otherwise the same."""
    scale.write_keys(tmp_path, KEYS, MANY)
    table = compile_table(load(scale.write_policy(tmp_path, MANY)), scale.ENVIRON)
    prover = table.provers["keys"]
    now = scale.CREATED.timestamp()

    def proven(key: str, when: float = now) -> object:
        return prover.prove(CheckedRequest("POST", "/", {"x-api-key": key}), when)

    for index in range(KEYS):
        tenant = scale.tenant(index % MANY)
        assert proven(scale.key(index)) == Proof(f"key:{index:012x}", 1, tenant)
    for index in range(MANY):
        found = proven(scale.listed(index))
        assert found == Proof(f"key:{scale.hashed(scale.listed(index))}", 1, scale.tenant(index))
    assert proven(scale.key(KEYS)) is Cause.KEY_UNKNOWN
    late = scale.EXPIRES.timestamp()
    assert isinstance(proven(scale.key(0), late), Proof)
    assert isinstance(proven(scale.key(1), math.nextafter(late, 0)), Proof)
    assert proven(scale.key(1), late) is Cause.KEY_EXPIRED
    assert len(table.policies) == MANY * scale.ROUTES
    assert table.policies[scale.tenant(999), "POST /v1/messages"].tenant == scale.tenant(999)


def test_a_mistake_among_many_is_told_by_its_line(tmp_path: Path) -> None:
    path = scale.write_keys(tmp_path, KEYS, MANY)
    path.write_bytes(path.read_bytes() + encoded(KEY))
    config = load(scale.write_policy(tmp_path, MANY))
    with pytest.raises(ConfigError) as caught:
        compile_table(config, scale.ENVIRON)
    assert str(caught.value).startswith(f"{path}:20001: tenant: there is no tenant 'acme'; ")


def test_a_million_keys_are_no_work_for_the_collector(tmp_path: Path) -> None:
    """Which would look at each of them, again and again, while requests wait."""
    path = scale.write_keys(tmp_path, 2000, 10)
    gc.collect()
    before = len(gc.get_objects())
    ring = load_keyring(path, map(scale.tenant, range(10)), (), 2000)
    assert len(ring.keys) == 2000
    assert len(gc.get_objects()) - before < 100
    assert len({id(key.tenant) for key in ring.keys.values()}) == 10
