"""Keys are counted by what they would still prove, and how long."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from extproc.config.key_file import KeyLine, encoded
from extproc.inventory.issued import Counted, count
from extproc.inventory.report import Rating
from tests.inventory.policies import NOW, policy, saying, surveyed

NEW = NOW - timedelta(days=1)
OLD = NOW - timedelta(days=366)


def line(
    number: int,
    created: datetime = NEW,
    expires: datetime | None = None,
    revoked: datetime | None = None,
) -> KeyLine:
    return KeyLine(
        id=f"k{number}",
        prefix=f"xk-k{number}",
        hash=f"{number:02x}" * 32,
        tenant="acme",
        created=created,
        expires=expires,
        revoked=revoked,
    )


LATER = datetime(2030, 1, 1, tzinfo=UTC)
LINES = [
    line(1),
    line(2, OLD),
    line(3, OLD, LATER),
    line(4, NEW, LATER),
    line(5, OLD, revoked=NEW),
    line(6, OLD, expires=NEW),
]


def test_only_keys_that_still_prove_something_are_counted() -> None:
    assert count(LINES, NOW) == Counted(active=4, endless=2, old=2)
    assert count([], NOW) == Counted(active=0, endless=0, old=0)


def test_each_key_file_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "keys.jsonl").write_bytes(b"".join(map(encoded, LINES)))
    data = policy(credentials={"keys": {"kind": "api_key", "file": "keys.jsonl"}})
    found = surveyed(tmp_path, data)
    endless = saying(found.reasons, "never expire")
    old = saying(found.reasons, "older than 365 days")
    assert (endless.rating, endless.what) == (
        Rating.MODERATE,
        "credentials.keys: 2 of 4 keys never expire",
    )
    assert (old.rating, old.what) == (
        Rating.MODERATE,
        "credentials.keys: 2 of 4 keys are older than 365 days",
    )
    assert "xk-k" not in repr(found)
    assert "0101" not in repr(found)


def test_keys_that_are_replaced_in_time_are_no_reason(tmp_path: Path) -> None:
    (tmp_path / "keys.jsonl").write_bytes(encoded(line(4, NEW, LATER)))
    data = policy(credentials={"keys": {"kind": "api_key", "file": "keys.jsonl"}})
    assert "keys" not in str(surveyed(tmp_path, data).reasons)
