"""``python -m tests.sidechannels``: print what time and length tell, and whether it is little.

Exit codes: 0 every shaped channel is within the goals, 1 one is not.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.machine import facts
from tests.bench.rig import envoy_version
from tests.sidechannels.pairs import PAIRS
from tests.sidechannels.report import Finding, findings, markdown, paste
from tests.sidechannels.sampling import CONNECTIONS, GRID, gateway, sample

_UNSHAPED = 0.1
"""Of the samples, this share suffices where what is told is told loudly."""


def main() -> int:
    asked = _arguments()
    found: list[Finding] = []
    medians: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory(prefix="extproc-side-") as directory:
        for shaped in (False, True):
            count = asked.samples if shaped else max(100, int(asked.samples * _UNSHAPED))
            with gateway(Path(directory) / str(shaped), shape=shaped) as running:
                for pair in PAIRS:
                    seen = sample(running, pair, count, CONNECTIONS if shaped else 4)
                    found += findings(pair.name, seen, shaped=shaped)
                    medians[shaped].append(float(np.median(np.concatenate([s.time for s in seen]))))
                    print(pair.name, "shaped" if shaped else "unshaped", file=sys.stderr)
    paid = float(np.median(medians[True]) - np.median(medians[False]))
    found.sort(key=lambda each: ([pair.name for pair in PAIRS].index(each.pair), each.channel))
    text = markdown(found, _about(asked.samples), paid)
    print(text)
    if asked.markdown is not None:
        paste(text, asked.markdown)
    return 0 if all(each.good for each in found if each.shaped) else 1


def _about(samples: int) -> str:
    machine = facts(envoy_version())
    named = "; ".join(f"{name} {machine[name]}" for name in ("cpu", "cores", "kernel"))
    return (
        f"{named}. Grid {GRID * 1000:.0f} ms, buckets of 1024 bytes; {samples} answers to each of "
        f"a pair over {CONNECTIONS} connections, a tenth of them unshaped."
    )


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.sidechannels", description=__doc__)
    parser.add_argument("--samples", type=int, default=12_000, help="of each request of a pair")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="paste the table between its markers"
    )
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
