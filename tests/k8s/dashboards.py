"""The dashboards of k8s/monitoring, as whoever reads them needs them: panels, and what they ask."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.k8s.promql import Selector, selectors
from tests.k8s.rendered import K8S

Panel = dict[str, Any]

FOLDER: Final = K8S / "monitoring" / "dashboards"
NAMES: Final = ("platform", "analyst", "owner")
_VARIABLE: Final = re.compile(r"\$(__\w+|\w+)")


def dashboard(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return found


def panels(board: Mapping[str, Any]) -> list[Panel]:
    """Those that show something: no headings of rows."""
    return [each for each in board["panels"] if each["type"] != "row"]


def expressions(board: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each query as it is written, with the title of what asks it."""
    for panel in panels(board):
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for each in board["annotations"]["list"]:
        yield each["name"], each["expr"]


def filled(expression: str, values: Mapping[str, str]) -> str:
    """With Grafana's variables replaced.  Raise KeyError for one that nobody gave."""
    return _VARIABLE.sub(lambda found: values[found[1]], expression)


def of_envoy(board: Mapping[str, Any]) -> set[Selector]:
    """What a dashboard asks of Envoy's own series."""
    found = (each for _, text in expressions(board) for each in selectors(text))
    return {each for each in found if each.metric.startswith("envoy_")}
