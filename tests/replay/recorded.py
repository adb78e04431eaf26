"""Records of a log, and policies to judge them by."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from extproc.audit import Record
from extproc.rehearsal.stand_ins import table_without_secrets
from extproc.replay.judge import Judge
from tests.config.example import changed, loaded

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
ROUTE = "POST /v2/models/{model}/infer"
BUDGETS = "    budgets:\n      - {name: daily, per: tenant, count: %s, max: %s, window: 1d%s}\n"
_LIMITS = (
    "    limits:\n      - {name: burst, per: principal, count: requests, max: 20, window: 1s}\n"
)


def record(at: float = 0.0, **more: Any) -> Record:
    said = {"tenant": "acme", "route": ROUTE, "model": "text-a", "inputs": 1, "fidelity": "full"}
    time = START + timedelta(seconds=at)
    return Record(
        time, more.pop("request", "e"), more.pop("decision", "served"), **{**said, **more}
    )


def judge(folder: Path, limits: str = _LIMITS, *more: tuple[str, str]) -> Judge:
    """By the example's policy, with these limits and other changes."""
    text = changed((_LIMITS, limits), *more)
    return Judge(table_without_secrets(loaded(folder, text)))


def daily(count: str, most: int, more: str = "") -> str:
    return BUDGETS % (count, most, more)
