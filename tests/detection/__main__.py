"""``python -m tests.detection --data DIR``: print how many thieves are found, and who else.

DIR holds CLINC150 (clinc_full.json, clinc_domains.json) and banking77 (banking_train.csv).  Exit
codes: 0 the goals are met, 1 one is not; the table says which.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.detection.goals import unmet
from tests.detection.judged import Judge
from tests.detection.report import markdown, pasted
from tests.detection.texts import clinc
from tests.detection.trial import Sizes, Trial


def main() -> int:
    asked = _arguments()
    rng = np.random.default_rng(asked.seed)
    corpus = clinc(asked.data, None if asked.as_gathered else rng)
    started = time.monotonic()

    def progress(said: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {said}", file=sys.stderr)

    judge = Judge(corpus, rng)
    progress("the reference is learnt")
    sizes = Sizes(
        benign=asked.clients,
        setting=asked.setting,
        growing=asked.growing,
        odd=asked.odd,
        evaluations=asked.odd,
        attackers=asked.attackers,
    )
    found = Trial(corpus, judge, sizes, rng, progress, wide=True).run()
    text = markdown(found)
    print(text)
    if asked.markdown is not None:
        name = "as gathered" if asked.as_gathered else "detection"
        asked.markdown.write_text(pasted(asked.markdown.read_text(), name, text))
    wanting = unmet(found)
    print(*wanting, sep="\n", file=sys.stderr)
    return 1 if wanting else 0


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.detection", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--clients", type=int, default=3000, help="of each of four kinds, fresh")
    parser.add_argument("--setting", type=int, default=2600, help="of each, to set thresholds by")
    parser.add_argument("--growing", type=int, default=125, help="of each, to grow the forest of")
    parser.add_argument("--odd", type=int, default=100, help="of each other kind")
    parser.add_argument("--attackers", type=int, default=200, help="of each attack")
    parser.add_argument(
        "--as-gathered",
        action="store_true",
        help="texts of an intent are not dealt out by chance: those that are tried are others'",
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="paste it there as well")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
