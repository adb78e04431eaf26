"""What has become of suspects lately, as this sidecar saw it.

Rule: a few changes of so many subjects; the one that changed longest ago is forgotten first.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from extproc.accounts.suspects import Change
from extproc.server.detection.finding import Finding

CHANGES: Final = 20
"""Of one subject."""
SUBJECTS: Final = 10_000


class History:
    """A Listener."""

    def __init__(self, most: int = SUBJECTS) -> None:
        self._most = most
        self._changes: OrderedDict[str, tuple[Change, ...]] = OrderedDict()

    def found(self, finding: Finding) -> None:
        change = Change(
            time=datetime.fromtimestamp(finding.time, UTC),
            before=finding.before,
            after=finding.after,
            suspicion=round(finding.suspicion, 4),
            shadow=finding.shadow,
        )
        earlier = self._changes.pop(finding.subject, ())
        self._changes[finding.subject] = (*earlier, change)[-CHANGES:]
        if len(self._changes) > self._most:
            self._changes.popitem(last=False)

    def of(self, subject: str) -> Sequence[Change]:
        """The latest last."""
        return self._changes.get(subject, ())
