"""Put what membership inference shows of private training into docs/dp-training.md.

The report is docs/redteam/training/report.json, which ``extproc redteam`` writes with the command
that the page shows.  Of all ways to tell members the best counts.  Intervals are of 95 %, of one
sample: seeds draw the attacker's noise and shadow models anew, and not the records.  Run by ``make
docs``.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from extproc.redteam.measures.distinguish import auc_interval  # noqa: E402
from extproc.redteam.measures.interval import of_share  # noqa: E402
from extproc.redteam.victims.roster import VICTIMS  # noqa: E402
from extproc.redteam.victims.victim import ClassifierVictim  # noqa: E402

PAGE = ROOT / "docs" / "dp-training.md"
REPORT = ROOT / "docs" / "redteam" / "training" / "report.json"
PLACE = re.compile(r"(<!-- red team: training -->\n)(?:.*?\n)??(<!-- red team: end -->)", re.DOTALL)
ANSWERS = {
    "none": "whole",
    "standard": "top 3, two decimals",
    "coarse": "the label alone",
}
TRAINED = {
    "digits-plain": "plainly",
    "digits-dp-8": "DP-SGD, epsilon 8",
    "digits-dp-3": "DP-SGD, epsilon 3",
}


def main() -> None:
    """Write the page anew, where it says something else."""
    text = PAGE.read_text(encoding="utf-8")
    filled = filled_page(text, json.loads(REPORT.read_text(encoding="utf-8")))
    if filled != text:
        PAGE.write_text(filled, encoding="utf-8")
        print(f"refreshed {PAGE.name}", file=sys.stderr)


def filled_page(page: str, report: dict[str, Any]) -> str:
    return PLACE.sub(lambda place: "\n".join([place[1], *_table(report), "", place[2]]), page)


def _table(report: dict[str, Any]) -> Iterator[str]:
    yield (
        "| trained | answers | accuracy | AUC, best way | members found at 1 % of others taken for"
        " them | epsilon declared | proven at least |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|"
    for victim, trained in TRAINED.items():
        for policy, answers in ANSWERS.items():
            told = " | ".join(_numbers(report, victim, policy))
            yield f"| {trained} | {answers} | {told} |"


def _numbers(report: dict[str, Any], victim: str, policy: str) -> Iterator[str]:
    cells = {
        cell["measure"]: cell["value"]
        for cell in report["cells"]
        if (cell["victim"], cell["policy"]) == (victim, policy)
    }
    made = VICTIMS[victim]()
    assert isinstance(made, ClassifierVictim)
    secret = made.secret
    yield _share(cells["accuracy"], len(secret.test))
    area = max(value for name, value in cells.items() if name.startswith("auc."))
    low, high = auc_interval(area, len(secret.others), len(secret.members))
    yield f"{area:.2f} ({low:.2f} to {high:.2f})"
    found = max(value for name, value in cells.items() if name.startswith("found."))
    yield _share(found, len(secret.members))
    [promise] = [
        each
        for each in report["training_privacy"]
        if (each["victim"], each["policy"]) == (victim, policy)
    ]
    yield f"{promise['declared']['epsilon']:g}" if promise["declared"] else "none"
    yield f"{promise['proven']:.2f}"


def _share(value: float, count: int) -> str:
    """With the interval of Clopper and Pearson."""
    found = of_share(round(value * count), count)
    return f"{value:.1%} ({found.low:.1%} to {found.high:.1%})"


if __name__ == "__main__":
    main()
