"""What was told, as a table, and whether that is within the goals."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tests.sidechannels.sampling import Seen
from tests.sidechannels.statistics import Told, told

_BEGIN, _END = "<!-- sidechannels -->", "<!-- /sidechannels -->"
BITS: Final = 0.01
LOW, HIGH = 0.45, 0.55
"""Of the AUC of means of 50."""
_HEAD: Final = (
    "pair", "channel", "shaped", "KS (chance)", "AUC of 50-means (95 %)", "means apart",
    "bits", "p50", "within the goals",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One channel of one pair, on one gateway."""

    pair: str
    channel: str
    shaped: bool
    told: Told
    apart: str
    """Of the means."""
    middle: str
    """The medians of the two."""

    @property
    def good(self) -> bool:
        return self.told.bits <= BITS and LOW <= self.told.auc <= HIGH


def findings(pair: str, seen: tuple[Seen, Seen], *, shaped: bool) -> list[Finding]:
    one, other = seen
    times = tuple(f"{np.median(each.time) * 1000:.1f}" for each in seen)
    lengths = tuple(f"{np.median(each.length):.0f}" for each in seen)
    time, length = told(one.time, other.time), told(one.length, other.length)
    late, longer = f"{time.apart * 1e6:+.0f} us", f"{length.apart:+.0f} B"
    return [
        Finding(pair, "time", shaped, time, late, f"{' / '.join(times)} ms"),
        Finding(pair, "length", shaped, length, longer, f"{' / '.join(lengths)} B"),
    ]


def markdown(found: Sequence[Finding], about: str, paid: float) -> str:
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_row, found)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{about}\n\n{table}\n\nLatency paid: {paid * 1000:.0f} ms added to the median answer.\n"


def _row(finding: Finding) -> tuple[str, ...]:
    said = finding.told
    return (
        finding.pair,
        finding.channel,
        "yes" if finding.shaped else "no",
        f"{said.distance:.3f} ({said.chance:.2g})",
        f"{said.auc:.3f} ({said.between[0]:.3f} to {said.between[1]:.3f})",
        finding.apart,
        f"{said.bits:.4f}",
        finding.middle,
        ("yes" if finding.good else "NO") if finding.shaped else "",
    )


def paste(text: str, page: Path) -> None:
    """Replace what stands between the markers of a page."""
    before, begin, rest = page.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{page} has no {_BEGIN} and {_END}")
    page.write_text(f"{before}{_BEGIN}\n{text}{_END}{after}")
