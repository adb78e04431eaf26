"""What ``extproc replay`` prints: see extproc/replay/rendering.py."""

import io
import json

from rich.console import Console

from extproc.replay.comparison import Change, Tenant
from extproc.replay.rendering import show, to_json

ACME = Tenant("acme", 5, 4, 3, 1, (Change("served at full", "served at [low]", 2),))
BETA = Tenant("", 1, 1, 1, 0, ())


def test_a_row_for_each_tenant_and_what_was_not_judged() -> None:
    file = io.StringIO()
    show([ACME, BETA], {"daily": "it counts tokens"}, Console(file=file))
    head, *rows = file.getvalue().splitlines()
    assert head.split() == [
        *("tenant", "requests", "served", "would", "be", "other", "tier", "changes")
    ]
    assert rows[0].split()[:5] == ["acme", "5", "4", "3", "1"]
    assert rows[0].endswith("2 served at full -> served at [low]")
    assert rows[1].split() == ["(nobody)", "1", "1", "1", "0", "none"]
    assert rows[2] == "not judged: daily: it counts tokens"


def test_a_terminal_keeps_its_own_width() -> None:
    file = io.StringIO()
    show([ACME], {}, Console(file=file, force_terminal=True, width=60, color_system=None))
    assert max(map(len, file.getvalue().splitlines())) <= 60


def test_the_same_as_json() -> None:
    found = json.loads(to_json([ACME], {"daily": "why"}, "v1"))
    assert found["policy"] == "v1"
    assert found["unjudged"] == {"daily": "why"}
    assert found["tenants"][0]["changes"] == [
        {"before": "served at full", "after": "served at [low]", "count": 2}
    ]
