"""``python -m tests.ownership``: whose copies are known, and what removes marks from them.

Exit codes: 0 the goals are met, 1 one is not; standard error says which.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from extproc.redteam.surrogates.by_heart import ROUNDS
from tests.detection.report import pasted
from tests.ownership.report import of_clean, of_copies, of_growth
from tests.ownership.trial import Clean, Row, clean, growth, trial

GOAL = -64.0
"""Bits."""
BUDGETS = (1000, 2000, 5000, 10_000)
"""Fewer answers than the thief of the other tables gets."""
REACHED = (f"perceptron, {ROUNDS} rounds", "forest, of all answers", "as stolen")
"""Copies that learn single answers: these are to be found."""


def main() -> int:
    asked = _arguments()
    started = time.monotonic()

    def progress(said: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {said}", file=sys.stderr)

    kinds, laundered = trial(asked.asked, asked.keys, progress)
    grown = growth(BUDGETS, asked.keys, progress)
    untaught = clean(asked.clean, progress)
    texts = {
        "copies": of_copies(asked.asked, asked.keys, kinds),
        "laundered": of_copies(asked.asked, asked.keys, laundered),
        "asked": of_growth(asked.keys, grown),
        "clean models": of_clean(untaught),
    }
    print(*texts.values(), sep="\n\n")
    if asked.markdown is not None:
        page = asked.markdown.read_text()
        for name, text in texts.items():
            page = pasted(page, name, text)
        asked.markdown.write_text(page)
    wanting = list(unmet([*kinds, *laundered], untaught))
    print(*wanting, sep="\n", file=sys.stderr)
    return 1 if wanting else 0


def unmet(rows: Sequence[Row], untaught: Clean) -> Iterator[str]:
    """What was to be and is not."""
    for row in rows:
        if row.name in REACHED and row.thief.corrected > GOAL:
            yield f"{row.name}: found at 2^{row.thief.corrected:.0f}, not 2^{GOAL:.0f}"
        if row.bystander.verdict == "carries the marks":
            yield f"{row.name}: the bystander is accused"
    if untaught.least <= -32.0:
        yield "a clean model is accused"
    if untaught.below > max(2, untaught.models // 300):
        yield f"{untaught.below} clean models of {untaught.models} are below 0.001"


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.ownership", description=__doc__)
    parser.add_argument("--asked", type=int, default=15_000, help="by the thief")
    parser.add_argument("--keys", type=int, default=3)
    parser.add_argument("--clean", type=int, default=1000, help="models")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="paste it there as well")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
