"""What other replicas have counted, as they wrote it: of so many subjects, and in so many octets.

Rule: where there is no room it is forgotten what was heard of longest ago; a change brings it back.
"""

import math
from collections import OrderedDict
from typing import Final

from extproc.stores.contribution import Contribution, decode, encode

_EACH: Final = 1024
"""Octets for each subject, on average."""


class Others:
    def __init__(self, size: int, tag: int, capacity: int) -> None:
        """Of so many counters each."""
        self.octets = 0
        self._size, self._tag, self._most = size, tag, capacity
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, subject: str) -> bool:
        return subject in self._kept

    def __getitem__(self, subject: str) -> Contribution:
        return decode(self._kept[subject], self._tag, self._size, math.inf)

    def put(self, subject: str, contribution: Contribution) -> None:
        self.forget(subject)
        self._kept[subject] = octets = encode(contribution, self._tag)
        self.octets += len(octets)
        while len(self._kept) > self._most or self.octets > _EACH * self._most:
            self.octets -= len(self._kept.popitem(last=False)[1])

    def forget(self, subject: str) -> None:
        self.octets -= len(self._kept.pop(subject, b""))
