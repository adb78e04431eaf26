"""Put what the red team measured into README.md: each claim, and whether it holds.

The report is docs/redteam/report.json, which ``extproc redteam --directory docs/redteam`` writes;
each row links to its place in the report beside it.  Run by ``make docs``.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "README.md"
REPORT = ROOT / "docs" / "redteam" / "report.json"
WHERE = "docs/redteam/report.md"
PLACE = re.compile(r"(<!-- red team: (\w+) -->\n)(?:.*?\n)??(<!-- red team: end -->)", re.DOTALL)


def main() -> None:
    """Write README.md anew, where it says something else."""
    page = PAGE.read_text(encoding="utf-8")
    filled = filled_page(page, json.loads(REPORT.read_text(encoding="utf-8")))
    if filled != page:
        PAGE.write_text(filled, encoding="utf-8")
        print("refreshed README.md", file=sys.stderr)


def filled_page(page: str, report: dict[str, Any]) -> str:
    """The page with its tables of claims and of what is not stopped."""
    tables = {"claims": claims(report), "open": still_open(report)}
    return PLACE.sub(
        lambda place: "\n".join([place[1], *tables[place[2]], "", place[3]]),
        page,
    )


def claims(report: dict[str, Any]) -> Iterator[str]:
    yield "| claim | measured | |"
    yield "|---|--:|---|"
    for claim in report["claims"]:
        link = f"[{claim['verdict']}]({WHERE}#claim-{claim['id']})"
        yield f"| {claim['claim']} | {_measured(claim)} | {link} |"


def still_open(report: dict[str, Any]) -> Iterator[str]:
    yield "| what is not stopped | measured |"
    yield "|---|--:|"
    for entry in report["not_stopped"]:
        link = f"[{_measured(entry)}]({WHERE}#open-{entry['id']})"
        yield f"| {entry['statement']} | {link} |"


def _measured(entry: dict[str, Any]) -> str:
    """The mean, and its interval where it has one."""
    found = entry["measured"]
    if found is None:
        return "not measured"
    sign = "≥ " if entry.get("sign", "=") == "≥" else ""
    times = "×" if entry.get("relative") else ""
    low, high = (_number(found[end]) for end in ("low", "high"))
    value = f"{sign}{_number(found['value'])}{times}"
    return value if low == high else f"{value} ({low} to {high})"


def _number(value: float | None) -> str:
    return "∞" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    main()
