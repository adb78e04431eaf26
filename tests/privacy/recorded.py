"""Votes of teachers.py about 1,000 handwritten digits, and what these show: a recording of

    python -m tests.privacy.teachers FOLDER --record tests/privacy/digits.json

of 14,000 private images of MNIST, 20 for each of 700 teachers.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from extproc.privacy import NANO, capacity


@dataclass(frozen=True, slots=True)
class Recorded:
    teachers: int
    votes: Any
    """Shape (queries, classes)."""
    truth: Any
    """Shape (queries,)."""

    def noise(self, epsilon: float, delta: float = 1e-5) -> float:
        """The least standard deviation with which all are answered, to a tenth."""
        room = capacity(epsilon, delta) / NANO
        return float(np.ceil(np.sqrt(2 * len(self.truth) / room) * 10) / 10)


def _read() -> Recorded:
    said = json.loads(Path(__file__).with_name("digits.json").read_bytes())
    return Recorded(said["teachers"], np.array(said["votes"]), np.array(said["truth"]))


DIGITS: Final = _read()
