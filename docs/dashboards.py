"""Draw the dashboards of k8s/monitoring for docs/deploy/dashboards.md: real data, without Grafana.

Usage: ``python -m docs.dashboards [FOLDER]``.  It takes four minutes.  FOLDER, where one is named,
keeps what was measured; where it has that already, only the drawing is done anew.  A panel without
data is an error, but where it says itself (noValue) what that means.
"""

import asyncio
import hashlib
import json
import math
import re
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from docs.dashboards_callers import traffic
from docs.dashboards_drawing import Panel, Series, Shown, draw, told
from docs.dashboards_stack import SCRAPE, prometheus, stack
from extproc.envoyconf.settings import Socket
from tests.k8s.dashboards import FOLDER, NAMES, dashboard, filled, panels

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "deploy" / "dashboards"
CHOSEN = {"platform": ".*", "analyst": ".*", "owner": "search"}
"""Namespaces, by dashboard."""
STEP = 4
"""Seconds between two points."""
MINUTE = 4 * SCRAPE
"""Seconds that stand for the minute of a query's interval: it has as many scrapes."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="extproc-dashboards-") as made:
        data = Path(sys.argv[1] if len(sys.argv) > 1 else made, "data")
        asyncio.run(_run(data, Path(made)))


async def _run(data: Path, folder: Path) -> None:
    span = data.with_name("span.json")
    if not span.exists():
        data.parent.mkdir(parents=True, exist_ok=True)
        async with stack(folder, data) as running:
            await asyncio.sleep(2 * SCRAPE)
            began = time.time()  # noqa: TID251 - Prometheus has the time of day
            await traffic(running)
        span.write_text(json.dumps([began, time.time()]))  # noqa: TID251 - as above
    async with AsyncExitStack() as ends:
        pages = await prometheus(folder, data, [], lambda _: None, ends)
        for name in NAMES:
            await asyncio.to_thread(_draw, name, pages, tuple(json.loads(span.read_text())))


def _draw(name: str, pages: Socket, span: tuple[float, float]) -> None:
    board, asked = dashboard(name), _Asked(pages, span, CHOSEN[name])
    shown = {panel["id"]: asked.shown(panel) for panel in panels(board)}
    empty = [
        panel["title"]
        for panel in panels(board)
        if panel["type"] != "text"
        and not (shown[panel["id"]].series or shown[panel["id"]].rows)
        and "noValue" not in panel["fieldConfig"]["defaults"]
    ]
    if empty:
        sys.exit(f"{name}: no data: {', '.join(empty)}")
    PICTURES.mkdir(exist_ok=True)
    choices = f"Namespace: {'All' if CHOSEN[name] == '.*' else CHOSEN[name]}"
    of = hashlib.sha256((FOLDER / f"{name}.json").read_bytes()).hexdigest()
    draw(board, shown, choices, of, PICTURES / f"{name}.png")
    print(f"drew {name}.png")


class _Asked:
    """What a Prometheus answers to a dashboard's queries."""

    def __init__(self, pages: Socket, span: tuple[float, float], namespace: str) -> None:
        self._pages, self._span = pages, span
        self._values = {
            "namespace": namespace,
            "__range": f"{span[1] - span[0]:.0f}s",
        }

    def shown(self, panel: Panel) -> Shown:
        targets = panel.get("targets", [])
        if panel["type"] == "table":
            return Shown(rows=self._rows(panel, targets[0]))
        found = [series for target in targets for series in self._series(target)]
        return Shown(series=found, span=self._span)

    def _series(self, target: Panel) -> list[Series]:
        results = self._ask(target)
        return [each for each in (_of(result, target) for result in results) if each.values]

    def _rows(self, panel: Panel, target: Panel) -> list[list[str]]:
        names = panel["transformations"][0]["options"]["renameByName"]
        unit, rows = panel["fieldConfig"]["defaults"]["unit"], []
        for result in self._ask(target):
            cells = {**result["metric"], "Value": told(float(result["value"][1]), unit)}
            rows.append([cells.get(name, "") for name in names])
        return [list(names.values()), *sorted(rows)] if rows else []

    def _ask(self, target: Panel) -> list[dict[str, Any]]:
        begin, end = self._span
        step = MINUTE if "interval" in target else STEP
        values = {**self._values, "__rate_interval": f"{max(step + SCRAPE, 4 * SCRAPE)}s"}
        path, more = "query_range", {"start": begin, "end": end, "step": step}
        if target.get("instant"):
            path, more = "query", {"time": end}
        form = urllib.parse.urlencode({"query": filled(target["expr"], values), **more})
        with urllib.request.urlopen(f"http://{self._pages}/api/v1/{path}?{form}") as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


def _of(result: dict[str, Any], target: Panel) -> Series:
    points = result.get("values") or [result["value"]]
    known = [(at, float(value)) for at, value in points if not math.isnan(float(value))]
    labels = result["metric"]
    name = re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), target["legendFormat"])
    return Series(name, [at for at, _ in known], [value for _, value in known])


if __name__ == "__main__":
    main()
