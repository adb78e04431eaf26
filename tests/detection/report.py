"""What a trial found, in Markdown: two tables and the curves."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from extproc.calibration.interval import highest
from extproc.calibration.thresholds import claim
from tests.detection.curves import NEVER, bars, flagged
from tests.detection.populations import FOUR
from tests.detection.trial import Found

AFTER: Final = (10, 20, 30, 50, 75, 100, 150, 200)
BEGIN: Final = "<!-- measured: {} -->"
END: Final = "<!-- end: {} -->"


def markdown(found: Found) -> str:
    return "\n".join(
        [*_about(found), "", *_benign(found), "", *_attackers(found), "", *_curves(found)]
    )


def pasted(page: str, name: str, text: str) -> str:
    """The page with this between the markers of its name.  Raise ValueError where it has none."""
    begin, end = BEGIN.format(name), END.format(name)
    before, rest = page.split(begin, 1)
    _, after = rest.split(end, 1)
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def _about(found: Found) -> Iterator[str]:
    yield (
        f"{found.corpus}; floor of novelty {found.floor}; lives of 20 to 1,000 queries, "
        "looked at after every one."
    )
    yield ""
    yield "| traffic class | threshold, nats | set by | tried on | alarms | what may be claimed |"
    yield "|---|---:|---:|---:|---:|---|"
    for name, each in found.thresholds.items():
        yield (
            f"| {name} | {each.nats:.2f} | {each.set_by:,} | {each.clients:,} | {each.alarms} "
            f"| {claim(each)} |"
        )


def _benign(found: Found) -> Iterator[str]:
    yield "| benign callers | traffic class | clients | suspected | upper limit (95 %) |"
    yield "|---|---|---:|---:|---:|"
    own = [(alarms, many) for (kind, _), (alarms, many) in found.alarms.items() if kind in FOUR]
    alarms, many = (sum(each) for each in zip(*own, strict=True))
    for (kind, traffic), (some, of) in found.alarms.items():
        yield f"| {kind} | {traffic} | {of:,} | {some} | {highest(some, of):.2%} |"
    yield f"| **all four kinds** | their own | {many:,} | {alarms} | {highest(alarms, many):.3%} |"


def _attackers(found: Found) -> Iterator[str]:
    heads = " | ".join(f"{number}" for number in AFTER)
    yield f"| flagged after so many queries | traffic class | {heads} | median |"
    yield "|---|---|" + "---:|" * (len(AFTER) + 1)
    for (attack, traffic), firsts in found.firsts.items():
        shares = " | ".join(f"{share:.1%}" for share in flagged(firsts, AFTER))
        median = np.sort(firsts)[len(firsts) // 2]
        yield f"| {attack} | {traffic} | {shares} | {median if median < NEVER else 'never'} |"


def _curves(found: Found) -> Iterator[str]:
    """Each character is four queries."""
    queries = range(4, found.sizes.queries + 1, 4)
    width = max(map(len, _labels(found)))
    yield "```text"
    for label, firsts in zip(_labels(found), found.firsts.values(), strict=True):
        yield f"{label:{width}} |{bars(flagged(firsts, queries))}|"
    yield "```"


def _labels(found: Found) -> list[str]:
    return [f"{attack}, {traffic}" for attack, traffic in found.firsts]
