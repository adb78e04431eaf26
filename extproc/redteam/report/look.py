"""How policies look in plots.

Rule: a shipped policy looks the same in every report, whatever stands beside it; those of the user
have what is left, in the order of the run.  No two look alike, nor do their marks where the paper
has no colours; the baseline alone is dashed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from extproc.redteam.report.catalogue import ORDER

_GREY: Final = "#8c8c8c"
_COLOURS: Final = (
    *("#1f8fd6", "#e0701a", "#12a17c", "#c065b0", "#b59410", "#6a6fd8", "#d64550", "#3d8b8b"),
    *("#5b7f1f", "#2d4fb0", "#7a1f4b", "#a0522d"),
)
_MARKS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", "H", "$T$", "$P$", "$M$")
_OTHER_COLOURS: Final = ("#8f6a4f", "#2fa6b8", "#7f9a2a", "#a55a78", "#5f7f9f")
_OTHER_MARKS: Final = ("*", "p", "d", "h", "8")


@dataclass(frozen=True, slots=True)
class Look:
    """Of a policy."""

    colour: str
    mark: str
    dashed: bool = False


_SHIPPED: Final = {
    policy: Look(colour, mark)
    for policy, colour, mark in zip(ORDER[1:], _COLOURS, _MARKS, strict=True)
}


def looks(policies: Sequence[str], baseline: str) -> dict[str, Look]:
    """Of these policies, all of a run: the user's own are told apart by their order."""
    shipped = {policy: _SHIPPED[policy] for policy in policies if policy in _SHIPPED}
    others = [policy for policy in policies if policy not in shipped and policy != baseline]
    own = {policy: _other(at) for at, policy in enumerate(others)}
    known = {**shipped, **own, baseline: Look(_GREY, "o", dashed=True)}
    return {policy: known[policy] for policy in dict.fromkeys((baseline, *policies))}


def _other(at: int) -> Look:
    """Beyond five, colours and marks are paired anew."""
    count = len(_OTHER_COLOURS)
    return Look(_OTHER_COLOURS[at % count], _OTHER_MARKS[(at + at // count) % count])
