from pathlib import Path

import pytest

from extproc.auditor.keys import new_pair
from extproc.config import load_all
from extproc.config.fixed import check_fixed
from extproc.errors import ConfigError
from tests.config import everything

AUDIT = next(line for line in everything.TEXT.splitlines() if line.startswith("audit:"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return everything.write(tmp_path)


def refused(path: Path, before: str, after: str) -> str:
    path.write_text(before)
    first = load_all(path).lightened()  # all that is kept of what serves
    path.write_text(after)
    with pytest.raises(ConfigError) as error:
        check_fixed(first, load_all(path))
    return str(error.value)


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("admin: 127.0.0.1:9102", "15: admin"),
        ("control: unix:///run/control.sock", "15: control"),
        ("store: {kind: memory, max_counters: 7}", "15: store"),
    ],
)
def test_what_is_set_up_once_stays(path: Path, more: str, place: str) -> None:
    text = everything.TEXT.replace("routes:\n", f"{more}\nroutes:\n")
    told = refused(path, everything.TEXT, text)
    assert told == (
        f"{path}:{place}: cannot change while the sidecar runs; restart it, or write what was there"
    )
    assert "1: " in refused(path, text, everything.TEXT), "what is gone has no line of its own"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("/run/extproc.sock", "/run/other.sock", "2: listen"),
        ("127.0.0.1:9101", "127.0.0.1:9105", "3: health"),
        ("audit.jsonl", "other.jsonl", "5: audit.path"),
        ("path: audit", "full: drop, path: audit", "5: audit.full"),
        ("path: audit", "queue: 7, path: audit", "5: audit.queue"),
    ],
)
def test_so_do_addresses_and_how_the_log_is_written(
    path: Path, old: str, new: str, place: str
) -> None:
    told = refused(path, everything.TEXT, everything.TEXT.replace(old, new))
    assert told.startswith(f"{path}:{place}: cannot change")


def test_a_log_neither_begins_nor_ends(path: Path) -> None:
    without = everything.TEXT.replace(f"{AUDIT}\n", "")
    assert refused(path, without, everything.TEXT).startswith(f"{path}:5: audit: cannot")
    assert refused(path, everything.TEXT, without).startswith(f"{path}:1: audit: cannot")


def test_who_signs_it_stays_though_the_policy_reads_the_same(path: Path) -> None:
    first = load_all(path).lightened()
    (path.parent / "audit.pem").write_bytes(new_pair()[0])
    with pytest.raises(ConfigError, match=r":5: audit\.key: cannot change"):
        check_fixed(first, load_all(path))


def test_all_else_may_change(path: Path) -> None:
    first = load_all(path).lightened()
    for change in everything.CHANGES.values():
        change(path.parent)
        check_fixed(first, load_all(path))
    path.write_text(
        everything.TEXT.replace(AUDIT, AUDIT.replace(', pseudonyms: "file:pseudonyms"', ""))
    )
    check_fixed(first, load_all(path))
    path.write_text(everything.TEXT.replace("routes:\n", "drain: 7s\nroutes:\n"))
    check_fixed(first, load_all(path))
