"""What detectors learned of recorded exchanges, from an audit log: no input, and no new reference.

Rule: only of callers whom the policy knows, and of exchanges that were measured by the reference of
its calibration; what another one told of them means nothing to it.  A tenant that is exempt sets no
threshold, since nothing is ever done about it.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from extproc.audit import Seen
from extproc.calibration.life import Exchange
from extproc.calibration.parts import Index, unseen
from extproc.calibration.recorded import Progress
from extproc.detectors.features import Features
from extproc.detectors.seen import features_of
from extproc.errors import ConfigError, Malformed
from extproc.policy import PolicyTable
from extproc.replay.traffic import exchanges

MOST: Final = 2_000_000
"""Exchanges: half a kilobyte of memory is needed for each."""


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    index: Index
    """Of each exchange; its digest is that of its first input."""
    classes: tuple[str, ...]
    """Names of traffic classes, as the index numbers them."""
    features: Sequence[bytes]
    """Of each exchange, packed."""
    digests: npt.NDArray[np.uint64]
    """Of all inputs, shape (inputs,)."""
    whose: npt.NDArray[np.uint32]
    """The exchange of each."""

    def unseen(self, found: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
        """Which exchanges hold no input that one of an earlier part held; shape (exchanges,)."""
        fresh = np.ones(len(found), np.bool_)
        inputs = Index(
            self.index.times[self.whose],
            self.index.clients[self.whose],
            self.index.classes[self.whose],
            self.digests,
        )
        fresh[self.whose[~unseen(inputs, found[self.whose])]] = False
        return fresh

    def exchanges(self, chosen: npt.NDArray[np.intp]) -> Exchange:
        """Of these lines, counted from 0."""

        def exchange(row: int, time: float) -> Features:
            return features_of(time, msgspec.msgpack.decode(self.features[chosen[row]]))

        return exchange


def read(
    paths: Sequence[Path],
    table: PolicyTable,
    reference: str,
    *,
    by_principal: bool,
    progress: Progress,
) -> Logged:
    """``reference`` is the one that exchanges must have been measured by, as lines name it;
    ``by_principal``: whether each has a life of its own, or its tenant.

    Raise ConfigError where the log cannot be used.
    """
    made = _Reading()
    for each in exchanges(paths):
        if not isinstance(each, Seen):
            continue
        policy = table.policies.get((each.tenant, each.route))
        if policy is None or policy.exempt:
            continue
        if each.reference != reference:
            raise ConfigError(
                f"what was learned of request {each.request} at {each.time:%Y-%m-%d %H:%M} was "
                "measured by another calibration's reference; give the files of the log that were "
                "written since the policy's was made"
            )
        made.add(each, each.principal if by_principal else "", policy.traffic)
    progress(
        f"{len(made.times):,} exchanges of {len(made.clients):,} clients in "
        f"{len(made.classes)} traffic classes"
    )
    return made.logged()


class _Reading:
    def __init__(self) -> None:
        self.times, self.features = array("d"), list[bytes]()
        self.clients: dict[tuple[str, str], int] = {}
        self.classes: dict[str, int] = {}
        self._whose, self._class = array("I"), array("B")
        self._first, self._digests, self._of = array("Q"), array("Q"), array("I")

    def add(self, seen: Seen, principal: str, traffic: str) -> None:
        if len(self.times) == MOST:
            raise ConfigError(f"more than {MOST:,} exchanges; give fewer files of the log")
        try:
            digests = features_of(0.0, seen.features).digests.tolist()
        except Malformed as error:
            wrong = f"what was learned of request {seen.request} cannot be read: {error}"
            raise ConfigError(f"{wrong}; see what is wrong with: extproc audit verify") from error
        whose = seen.tenant, principal
        self._of.extend([len(self.times)] * len(digests))
        self._digests.extend(digests)
        self._first.append(digests[0] if digests else 0)
        self.times.append(seen.time.timestamp())
        self._whose.append(self.clients.setdefault(whose, len(self.clients)))
        self._class.append(self.classes.setdefault(traffic, len(self.classes)))
        self.features.append(msgspec.msgpack.encode(seen.features))

    def logged(self) -> Logged:
        index = Index(
            np.array(self.times),
            np.array(self._whose, np.uint32),
            np.array(self._class, np.uint8),
            np.array(self._first, np.uint64),
        )
        return Logged(
            index,
            tuple(self.classes),
            self.features,
            np.array(self._digests, np.uint64),
            np.array(self._of, np.uint32),
        )
