"""What came of policy tests, as text and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from extproc.rehearsal.rendering import to_json as _to_json
from extproc.rehearsal.trial import Trial, Verdict


@dataclass(frozen=True, slots=True)
class Report:
    """Of every file that was tried."""

    trials: tuple[Trial, ...]
    coverage: bool = False
    """Whether what no case is about is named."""

    @property
    def verdicts(self) -> list[Verdict]:
        return [verdict for trial in self.trials for verdict in trial.verdicts]

    @property
    def failed(self) -> int:
        return sum(bool(verdict.wrong) for verdict in self.verdicts)

    @property
    def untouched(self) -> list[tuple[str, str, str]]:
        """Policy file, policy and route; where several files try one policy, of all together."""
        left: dict[str, set[tuple[str, str]]] = {}
        for trial in self.trials:
            path, found = str(trial.config.document.path), set(trial.untouched())
            left[path] = left[path] & found if path in left else found
        return [(path, *each) for path, found in left.items() for each in sorted(found)]


def text(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    for verdict in report.verdicts:
        if not verdict.wrong:
            yield f"ok    {verdict.name}"
            continue
        yield f"FAIL  {verdict.name}  {verdict.path}:{verdict.line}"
        yield from (f"      {wrong}" for wrong in verdict.wrong)
    if report.coverage:
        for path, policy, route in report.untouched:
            yield f"not tried  {policy}: {route}  {path}"
    yield f"{len(report.verdicts) - report.failed} passed, {report.failed} failed"


def to_json(report: Report) -> str:
    told: dict[str, Any] = {
        "passed": len(report.verdicts) - report.failed,
        "failed": report.failed,
        "cases": [
            {
                "name": verdict.name,
                "file": str(verdict.path),
                "line": verdict.line,
                "passed": not verdict.wrong,
                "wrong": list(verdict.wrong),
            }
            for verdict in report.verdicts
        ],
    }
    if report.coverage:
        names = ("file", "policy", "route")
        told["not_tried"] = [dict(zip(names, each, strict=True)) for each in report.untouched]
    return _to_json(told)
