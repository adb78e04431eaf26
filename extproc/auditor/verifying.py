"""``extproc audit verify``: the verdict on a log, as text or as JSON."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from extproc.audit.chain import Tip
from extproc.audit.verification import Report, Told, Verification
from extproc.auditor.files import in_order, lines, public_keys


def verify(paths: Sequence[Path], keys: Sequence[Path], known: Tip | None, *, live: bool) -> Report:
    """Read the files once.  Raise ConfigError where a file or key cannot be read."""
    verification = Verification(public_keys(keys), known)
    for path in in_order(paths):
        verification.file(str(path), lines(path))
    return verification.finish(live=live)


def text(report: Report) -> str:
    """One line for each finding, gap and fact."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    for found in report.findings:
        yield f"{found.file}:{found.line}: {found.what}: {found.detail}"
    if report.unlisted:
        yield f"and {report.unlisted} findings more"
    for gap in report.gaps:
        yield f"{gap.file}:{gap.line}: gap: {_told(gap)}"
    files = "1 file" if len(report.files) == 1 else f"{len(report.files)} files"
    verdict = "whole" if report.whole else "not whole"
    more = f"{_more(report.acts, 'act')}{_more(report.suspected, 'finding')}"
    more += _more(report.marks, "commitment")
    if report.policies:
        more += f", {report.policies} {'policy' if report.policies == 1 else 'policies'}"
    if report.seen:
        more += f", {report.seen} seen by detectors"
    yield f"{files}, {report.lines} lines, {report.records} records{more}: {verdict}"
    if report.first is not None and report.first > 1:
        yield f"lines 1 to {report.first - 1} are in older files, which were not given"
    if report.unsigned:
        yield f"{report.unsigned} records at the end are not signed yet"
    yield f"head: {report.head}"


def _more(count: int, what: str) -> str:
    return f", {count} {what}{'s' if count > 1 else ''}" if count else ""


def _told(gap: Told) -> str:
    match gap.reason:
        case "crash":
            torn = f", and {gap.torn} bytes of a torn line" if gap.torn else ""
            return f"the process ended here without closing; what it had not written is lost{torn}"
        case "refused":
            return f"{gap.count} requests were refused because the log could not be written"
        case "seen":
            return (
                f"{gap.count} lines of what detectors learned were left out, since records waited"
            )
        case _:
            return f"{gap.count} records were dropped because the log could not be written"


def to_json(report: Report) -> str:
    return json.dumps({"whole": report.whole, **msgspec.to_builtins(report)}, indent=2)
