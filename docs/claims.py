"""Put what the red team measured into README.md, docs/redteam.md, docs/privacy.md and
docs/ownership.md: each claim and whether it holds, how soon thieves are noticed, and whose copies
are told.

The reports are docs/redteam/report.json and, in a folder each, those of detection, private and
ownership, which ``extproc redteam`` writes with ``--directory docs/redteam``; with ``--attack
detection --attack detection-texts --directory docs/redteam/detection``; with ``--attack
private-votes --attack membership-votes --directory docs/redteam/private``; and with ``--attack
laundering --attack laundering-vectors --directory docs/redteam/ownership``.  Each row links to its
place in the report beside it.  Run by ``make docs``.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from extproc.redteam.measures.interval import at_most

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "README.md"
REPORT = ROOT / "docs" / "redteam" / "report.json"
WHERE = "docs/redteam/report.md"
GUIDE = ROOT / "docs" / "redteam.md"
DETECTION = ROOT / "docs" / "redteam" / "detection" / "report.json"
WATCHED = "redteam/detection/report.md"
PRIVACY = ROOT / "docs" / "privacy.md"
PRIVATE = ROOT / "docs" / "redteam" / "private" / "report.json"
ANSWERED = "redteam/private/report.md"
OWNERS = ROOT / "docs" / "ownership.md"
OWNERSHIP = ROOT / "docs" / "redteam" / "ownership" / "report.json"
MARKED = "redteam/ownership/report.md"
PAGES = (
    (PAGE, REPORT, WHERE),
    (GUIDE, DETECTION, WATCHED),
    (PRIVACY, PRIVATE, ANSWERED),
    (OWNERS, OWNERSHIP, MARKED),
)
_THIEF = (
    *("victim", "the thief asks about", "in full before less", "answered before a refusal"),
    *("in full of 200", "its copy", "unwatched: standard", "none"),
)
_TREATMENT = ("before_lowered", "before_refused", "in_full")
_COPIES = ("agreement.task", "cosine")
PLACE = re.compile(r"(<!-- red team: (\w+) -->\n)(?:.*?\n)??(<!-- red team: end -->)", re.DOTALL)


def main() -> None:
    """Write the pages anew, where they say something else."""
    for page, report, where in PAGES:
        text = page.read_text(encoding="utf-8")
        filled = filled_page(text, json.loads(report.read_text(encoding="utf-8")), where)
        if filled != text:
            page.write_text(filled, encoding="utf-8")
            print(f"refreshed {page.name}", file=sys.stderr)


def filled_page(page: str, report: dict[str, Any], where: str = WHERE) -> str:
    """The page with its tables of a report, ``where`` links lead to it."""
    tables = {
        "claims": claims(report, where),
        "open": still_open(report, where),
        "thieves": thieves(report),
        "customers": customers(report),
        "members": members(report),
        "classifiers": whose(report, "digits"),
        "embeddings": whose(report, "minilm-private"),
    }
    return PLACE.sub(
        lambda place: "\n".join([place[1], *tables[place[2]], "", place[3]]),
        page,
    )


def claims(report: dict[str, Any], where: str) -> Iterator[str]:
    yield "| claim | measured | |"
    yield "|---|--:|---|"
    for claim in report["claims"]:
        link = f"[{claim['verdict']}]({where}#claim-{claim['id']})"
        yield f"| {claim['claim']} | {_measured(claim)} | {link} |"


def still_open(report: dict[str, Any], where: str) -> Iterator[str]:
    yield "| what is not stopped | measured |"
    yield "|---|--:|"
    for entry in report["not_stopped"]:
        link = f"[{_measured(entry)}]({where}#open-{entry['id']})"
        yield f"| {entry['statement']} | {link} |"


def thieves(report: dict[str, Any]) -> Iterator[str]:
    """A row for each: how it was treated where it was watched, and what its copies are worth."""
    yield "| " + " | ".join(_THIEF) + " |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    found = {_place(cell): cell for cell in report["cells"] if cell["strategy"]}
    for victim, thief in dict.fromkeys(place[:2] for place in found):
        treated = [("watched", measure) for measure in _TREATMENT]
        copies = [
            (policy, copy)
            for policy in ("watched", "standard", "none")
            for copy in _COPIES
            if (victim, thief, policy, copy) in found
        ]
        seeds = found[victim, thief, "watched", "in_full"]["count"]
        told = [_told(found.get((victim, thief, *each)), seeds) for each in (*treated, *copies)]
        yield f"| {' | '.join((victim, thief, *told))} |"


def _place(cell: dict[str, Any]) -> tuple[str, str, str, str]:
    policy = cell["policy"].removesuffix("-texts")
    return cell["victim"], cell["strategy"], policy, cell["measure"]


def customers(report: dict[str, Any]) -> Iterator[str]:
    yield "| victim | customers | taken for thieves | at most (95 %) |"
    yield "|---|--:|--:|--:|"
    counted = {
        (cell["victim"], cell["measure"]): round(sum(cell["seeds"].values()))
        for cell in report["cells"]
        if cell["policy"].startswith("watched")
    }
    for victim in sorted({victim for victim, _ in counted}):
        taken, count = (counted.get((victim, each), 0) for each in ("false_alarms", "customers"))
        if count:
            yield f"| {victim} | {count} | {taken} | {at_most(taken, count):.1%} |"


def members(report: dict[str, Any]) -> Iterator[str]:
    """A row for each policy: what guesses of who was taught came to."""
    yield "| answers | epsilon promised | guesses | of them right | epsilon proven at least |"
    yield "|---|--:|--:|--:|--:|"
    means = {(cell["policy"], cell["measure"]): cell["value"] for cell in report["cells"]}
    for each in report["training_privacy"]:
        policy, declared = each["policy"], each["declared"]
        stated = "nothing" if declared is None else f"{declared['epsilon']:g}"
        made, right = (f"{means[policy, f'guesses.{name}']:.0f}" for name in ("made", "right"))
        yield f"| {policy} | {stated} | {made} | {right} | {each['proven']:.2f} |"


def whose(report: dict[str, Any], victim: str) -> Iterator[str]:
    """What was done to copies: how likely chance is, and under how many seeds they were told."""
    found = {
        (each["done"], each["copy"]): each
        for each in report["ownership"]
        if each["victim"] == victim
    }
    copies = list(dict.fromkeys(copy for _, copy in found))
    yield f"| what was done to the copy | {' | '.join(copies)} |"
    yield f"|---|{'--:|' * len(copies)}"
    for done in dict.fromkeys(done for done, _ in found):
        told = (_whose(found.get((done, copy))) for copy in copies)
        yield f"| {done} | {' | '.join(told)} |"


def _whose(each: dict[str, Any] | None) -> str:
    if each is None:
        return ""
    worth = f", {each['worth']['value']:.2f}" if each["worth"] else ""
    return f"{round(each['bits']['value'])}, {each['named']} of {each['seeds']}{worth}"


def _told(cell: dict[str, Any] | None, seeds: int) -> str:
    """With how many of the seeds it is of, where these were not all."""
    if cell is None:
        return "never"
    part = f" ({cell['count']} of {seeds} seeds)" if cell["count"] < seeds else ""
    return _number(cell["value"]) + part


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
