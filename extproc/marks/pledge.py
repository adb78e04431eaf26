"""What marks all texts of a tier, as it is committed to before anybody knows a suspect.

Rule: it is told with the first answer that it stands in, once for each model and route.  What is
sealed is the key of this one list, or of this one processor, and what it is used with: a judge who
is shown it can look for these marks, and for no others.
"""

from dataclasses import dataclass, field
from typing import Literal

from extproc.draw import Draw
from extproc.marks.marking import Finding
from extproc.marks.stamps import name


@dataclass(frozen=True, slots=True)
class Pledge:
    """Of one cohort, or tenant without one."""

    stamp: Literal["green_list", "processor"]
    key: Draw
    """Of this one alone."""
    used_with: bytes
    """JSON: the vocabulary of a list, the arguments of a processor."""
    told: str = field(repr=False)
    """The key, as who looks for the marks needs it."""

    def finding(self, model: str, route: str) -> Finding:
        """That it is in force for a model, as it was asked for, on a route."""
        place = self.key.child(b"model " + model.encode()).child(b"route " + route.encode())
        return Finding(self.stamp, name(place), self.used_with, "", self.told)
