"""What detectors learned of each exchange, in the audit log: what ``extproc replay`` asks them by.

Rule: it is told when features have been made, off the path of requests, and never stands in the way
of a record that has to be written: where the queue of the log is half full, it is left out and
counted.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from extproc.audit import Pseudonyms, Seen
from extproc.detectors.features import Features
from extproc.detectors.observation import Observation
from extproc.detectors.seen import seen
from extproc.server.audited import Auditor


class Learned:
    def __init__(
        self, auditor: Auditor, names: Callable[[], Pseudonyms], reference: str = ""
    ) -> None:
        """``reference``: by which features are made; see detectors/seen.py."""
        self._auditor, self._names, self._reference = auditor, names, reference

    def learned(self, observation: Observation, features: Features) -> None:
        names = self._names()
        record = Seen(
            time=datetime.fromtimestamp(features.time, UTC),
            request=observation.request,
            tenant=observation.tenant,
            principal=names.principal(observation.principal),
            epoch=names.epoch,
            route=observation.route,
            network=observation.network,
            client=observation.client,
            reference=self._reference,
            features=seen(features),
        )
        self._auditor.seen(record)
