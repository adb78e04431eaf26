"""The table for a terminal: names are text there too."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from extproc.inventory.as_table import show
from extproc.inventory.report import Inventory
from tests.inventory.hostile import SECRETS, hostile
from tests.inventory.policies import partner, policy, surveyed


def shown(inventory: Inventory, **how: Any) -> str:
    out = io.StringIO()
    show(inventory, Console(file=out, width=400, **how))
    return out.getvalue()


def test_a_line_for_each_surface_and_then_why(tmp_path: Path) -> None:
    text = shown(surveyed(tmp_path, policy()))
    assert text.startswith("policy.yaml: moderate, 1 tenants\nassumed: 10 classes, 384 dimensions")
    lines = [line.split() for line in text.splitlines()]
    assert ["1", "low", "partner", "POST", "/v1/chat/completions", "text-*"] in [
        line[:6] for line in lines
    ]
    assert any("no audit log" in line for line in text.splitlines())


def test_a_reason_of_several_surfaces_stands_once(tmp_path: Path) -> None:
    text = shown(surveyed(tmp_path, partner(limits=[])))
    [line] = [line for line in text.splitlines() if "no limit" in line]
    assert line.split()[:4] == ["high", "1,", "2,", "3"]


def test_what_is_declared_of_training_stands_below_and_only_where_something_is(
    tmp_path: Path,
) -> None:
    data = policy()
    assert "training privacy" not in shown(surveyed(tmp_path, data))
    data["routes"][0]["training_privacy"] = {"epsilon": 8, "delta": 1e-5}
    last = shown(surveyed(tmp_path, data)).splitlines()[-1]
    assert last.split(maxsplit=1)[1].strip() == "epsilon 8, delta 1e-05; as declared, not checked"


def test_names_color_nothing_and_break_no_line(tmp_path: Path) -> None:
    found = hostile(tmp_path)
    text = shown(found)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\x1b[31mred" in text
    assert "[red]markup[/red]" in text.replace("\n", "")
    assert not any(secret in text for secret in SECRETS)
    assert "\x1b[31mred" not in shown(found, force_terminal=True)
