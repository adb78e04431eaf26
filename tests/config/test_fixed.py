from pathlib import Path

import pytest

from extproc.auditor.keys import new_pair
from extproc.config import load_all
from extproc.config.fixed import check_fixed
from extproc.errors import ConfigError
from tests.config import everything
from tests.config.sealed import sealed

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


LOOKED = everything.TEXT + "detection: {reference: ref}\n"


@pytest.mark.parametrize(
    ("new", "place"),
    [
        ("{reference: other}", "25: detection.reference"),
        ("{reference: ref, half_life: 1d}", "25: detection.half_life"),
        ("{reference: ref, per: principal}", "25: detection.per"),
        ("{reference: ref, profiles: 7}", "25: detection.profiles"),
        (
            "{reference: ref, alerts: [{url: 'https://a', secret: 'file:hmac'}]}",
            "25: detection.alerts",
        ),
    ],
)
def test_so_does_what_looks_at_how_callers_ask(path: Path, new: str, place: str) -> None:
    for name in ("ref", "other"):
        (path.parent / name).write_bytes(sealed("0" * 32))
    told = refused(path, LOOKED, LOOKED.replace("{reference: ref}", new))
    assert told.startswith(f"{path}:{place}: cannot change")
    assert refused(path, everything.TEXT, LOOKED).startswith(f"{path}:25: detection: cannot")
    assert refused(path, LOOKED, everything.TEXT).startswith(f"{path}:1: detection: cannot")


def test_what_it_looks_by_stays_though_the_policy_reads_the_same(path: Path) -> None:
    alert = "alerts: [{url: 'https://a', secret: 'file:hook'}]"
    path.write_text(LOOKED.replace("ref}", f"ref, {alert}}}"))
    changes = {"reference": ("ref", sealed("0" * 32, latest=1.0)), "alerts": ("hook", b"1" * 32)}
    for place, (name, content) in changes.items():
        (path.parent / "ref").write_bytes(sealed("0" * 32))
        (path.parent / "hook").write_text("0" * 32)
        first = load_all(path).lightened()
        (path.parent / name).write_bytes(content)
        with pytest.raises(ConfigError, match=rf":25: detection\.{place}: cannot change"):
            check_fixed(first, load_all(path))


def test_what_is_done_about_suspicion_may_change(path: Path) -> None:
    (path.parent / "ref").write_bytes(sealed("0" * 32))
    path.write_text(LOOKED)
    first = load_all(path)
    path.write_text(
        LOOKED.replace("ref}", "ref, mode: shadow, on_loss: {fidelity: standard}}").replace(
            "fidelity: standard}",
            "fidelity: standard, escalation: [{above: 0.9, deny: true, for: 1h}]}",
            1,
        )
    )
    second = load_all(path)
    check_fixed(first.lightened(), second)
    assert second.table.version != first.table.version


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
