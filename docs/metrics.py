"""Write the middle of docs/metrics.md from the registry: every metric, its labels and its meaning.

``python -m docs.metrics`` writes the page.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from prometheus_client.registry import Collector

from docs import page
from docs.page import table
from extproc.server.detection.metrics import show, show_shared
from extproc.server.detection.telemetry import ALERTS, DetectionTelemetry
from extproc.server.store_telemetry import watch
from extproc.server.telemetry import Telemetry

_DETECTION: Final = ("detection", "alerts", "escalations", "suspects")
WHERE: Final = (
    ("extproc_store_", "Of the store (all but `counted_together` where that is Redis)"),
    *((f"extproc_{name}", "Where detection is on") for name in _DETECTION),
    ("process_", "Of the process, by the library"),
    ("", "Always"),
)
LABELS: Final = {
    ("extproc_acts", "act"): "an operator's command (`grant`, `reset`, `stop` and the like)",
    ("extproc_acts", "outcome"): "what became of it",
    ("extproc_alerts", "outcome"): ", ".join(f"`{each}`" for each in ALERTS),
    ("extproc_build", "python"): "a version",
    ("extproc_build", "version"): "a version",
    ("extproc_changed_arguments", "place"): "a place in a dialect's table of arguments",
    ("extproc_checks", "outcome"): "`allowed`, `off`, a code or cause of docs/refusals.md,"
    " and each with `shadow:` before it",
    ("extproc_config_info", "hash"): "of the policy in force: one at a time",
    ("extproc_config_reloads", "outcome"): "`changed`, `unchanged`, `failed`",
    ("extproc_dropped_values", "place"): "a place in a dialect's table of answers",
    ("extproc_escalations", "shadow"): "`true`, `false`",
    ("extproc_escalations", "step"): "`throttle`, `fidelity`, `challenge`, `deny`",
    ("extproc_exchanges", "outcome"): "`served`, `cut`, `unfinished`, `off`, a code or cause,"
    " and each with `shadow:` before it",
    ("extproc_limits", "limit"): "a name of the policy file; empty where it is about the store",
    ("extproc_limits", "outcome"): "`taken`, `near` (a fifth or less is left), `refused`;"
    " `unavailable` (the store did not answer), `unsettled` (it was not told what was spent)",
    ("extproc_rollout_percent", "mode"): "`off`, `shadow`, `enforce`",
    ("extproc_suspects", "shadow"): "`true`, `false`",
    ("extproc_suspects", "step"): "`throttle`, `fidelity`, `challenge`, `deny`",
}
"""By metric and label, the values there are: each of a closed list, or of the operator's files."""


def main() -> None:
    page.write("metrics", filled)


def filled(text: str) -> str:
    """The page with what stands between the two marks written anew."""
    return page.between_marks(text, "metrics", _tables())


class _Unasked:
    """In place of a store and a watcher: a metric is described without its value."""

    def __getattr__(self, name: str) -> "_Unasked":
        return self


def collectors() -> list[Collector]:
    """Of a sidecar that has everything switched on."""
    telemetry, unasked = Telemetry(), cast("Any", _Unasked())
    registry = telemetry.registry
    watch(unasked, registry)
    show(unasked, registry)
    show_shared(unasked, registry)
    DetectionTelemetry(registry)
    return list(registry._collector_to_names)  # noqa: SLF001 - described, and not asked


def rows(found: Iterable[Collector]) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, labels and meaning of each metric."""
    for collector in found:
        told = collector.describe() if hasattr(collector, "describe") else collector.collect()
        for metric in told:
            end = {"counter": "_total", "info": "_info"}.get(metric.type, "")
            yield metric.name + end, metric.type, _labels(metric, collector), metric.documentation


def _labels(metric: Any, collector: Any) -> str:
    names = getattr(collector, "_labelnames", ()) or ()
    if metric.type == "info":
        names = ("python", "version")
    return "; ".join(f"`{name}`: {LABELS[metric.name, name]}" for name in names) or "none"


def _tables() -> str:
    by: dict[str, list[tuple[str, ...]]] = {title: [] for _, title in reversed(WHERE)}
    for name, *more in sorted(rows(collectors())):
        title = next(title for prefix, title in WHERE if name.startswith(prefix))
        by[title].append((f"`{name}`", *more))
    heads = ("metric", "type", "labels", "meaning")
    return "\n".join(f"## {title}\n\n{table(heads, found)}" for title, found in by.items())


if __name__ == "__main__":
    main()
