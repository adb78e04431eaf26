import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from extproc.accounts.messages import ActName, Done, Holder
from extproc.accounts.rows import Row
from extproc.tenants.table import show, show_one, to_json, told

MIDNIGHT = datetime(2026, 6, 2, tzinfo=UTC)
EIGHT = datetime(2026, 6, 1, 20, tzinfo=UTC)
DAILY = Row(
    "daily", "day", "credits", (), "", 30.125, 50.0, 19.875, 0.6025, MIDNIGHT, "ends", EIGHT
)
WEEK = Row("week", "7d", "tokens", ("principal",), "[b]", 5, 10, 5, 0.5, EIGHT, "lasts", None)
OTHERS = Row("week", "7d", "tokens", ("principal",), "\0", 12, 10, 0, 1.2, None, "exhausted", None)
IDLE = Row("burst", "1s", "requests", ("user", "model"), "", 0, 9, 9, 0.0, None, "none", None)
FLIGHT = Row("flight", "", "concurrent", (), "", 0, 4, 4, 0.0, None, "none", None)
ACME = Holder("acme", True, (OTHERS, DAILY, WEEK, IDLE, FLIGHT), 7, {"shared:": ["all", "some"]})
BETA = Holder("beta", False, ())


def shown(*holders: Holder) -> list[str]:
    console = Console(file=io.StringIO())
    show(holders, console)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


def test_a_list_has_every_tenant_and_a_line_for_each_counter() -> None:
    lines = [line.split() for line in shown(ACME, BETA)]
    assert lines[0] == ["tenant", "limit", "of", "spent", "max", "used", "resets", "forecast"]
    assert lines[1][:4] == ["acme", "(frozen)", "week/7d", "(others)"]
    assert lines[1][-1] == "exhausted"
    assert lines[2] == [
        *("daily/day", "30.125", "50", "credits", "60%", "2026-06-02", "00:00Z"),
        *("exhausted", "2026-06-01", "20:00Z"),
    ]
    assert lines[3][1] == "[b]", "no markup"
    assert lines[3][-1] == "lasts"
    assert lines[4] == ["burst/1s", "each", "user", "and", "model", "0", "9", "requests", "0%"]
    assert lines[5] == ["flight", "0", "4", "concurrent", "0%"]
    assert lines[6] == ["beta", "nothing", "spent"]


def test_one_is_told_with_all_that_is_known_of_it() -> None:
    console = Console(file=io.StringIO())
    show_one(ACME, console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 1 + 5 + 3
    assert lines[-3:] == [
        "and 7 counters more, less used: see --limit",
        "acme is stopped: see extproc tenants thaw",
        "counts against shared: too: all, some",
    ]
    show_one(BETA, console)
    assert "beta" not in console.file.getvalue()  # type: ignore[attr-defined]


def done(act: ActName, **more: object) -> Done:
    said: dict[str, object] = {"limit": "daily", "unit": "credits", "counters": 1, "now": DAILY}
    return Done(act, "acme", **{**said, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (
            done("grant", amount=10.5),
            "granted 10.5 credits of daily, acme: 30.125 of 50 credits are spent",
        ),
        (
            done("reset", limit="week", unit="tokens", subject="key:a", now=WEEK),
            "reset week, acme, key:a: 5 of 10 tokens are spent",
        ),
        (done("reset", counters=200, now=None), "reset daily of acme: 200 counters"),
        (done("grant", amount=1.0, now=None), "granted 1 credits of daily of acme: 1 counter"),
        (Done("thaw", "acme"), "acme is let in again"),
        (
            Done("freeze", "acme"),
            "acme is stopped: every request of it is refused until it is thawed",
        ),
    ],
)
def test_what_was_done_is_one_sentence(what: Done, sentence: str) -> None:
    assert told(what) == sentence


def test_json_has_numbers_names_and_times() -> None:
    [acme, beta] = json.loads(to_json([ACME, BETA]))
    assert (acme["frozen"], acme["more"], acme["elsewhere"]) == (
        True,
        7,
        {"shared:": ["all", "some"]},
    )
    assert acme["counters"][1] == {
        "limit": "daily",
        "window": "day",
        "unit": "credits",
        "per": [],
        "subject": "",
        "spent": 30.125,
        "max": 50.0,
        "left": 19.875,
        "used": 0.6025,
        "resets": "2026-06-02T00:00:00Z",
        "forecast": "ends",
        "exhausted": "2026-06-01T20:00:00Z",
        "epsilon": None,
        "delta": None,
    }
    assert beta["counters"] == []
    assert json.loads(to_json(ACME))["whom"] == "acme"
    assert json.loads(to_json(Done("freeze", "acme")))["act"] == "freeze"
