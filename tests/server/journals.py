"""Audit logs on a disk: plans for them, and what stands in their files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from extproc.audit.verification import Report
from extproc.config import AuditPlan
from tests.audit.logs import KEY, lines, verified


def plan(folder: Path, **more: Any) -> AuditPlan:
    return replace(AuditPlan(folder / "audit.jsonl", KEY, every=4), **more)


def files(folder: Path) -> list[Path]:
    """Oldest first."""
    return [*sorted(folder.glob("audit.jsonl.*")), folder / "audit.jsonl"]


def said(folder: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for file in files(folder) for line in lines(file.read_bytes())]


def kinds(folder: Path) -> str:
    """The first letters of what stands there."""
    return "".join(line["kind"][0] for line in said(folder))


def report(folder: Path, *, live: bool = False) -> Report:
    return verified([lines(file.read_bytes()) for file in files(folder)], live=live)
