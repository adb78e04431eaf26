"""An audit log of benign callers, and the policy with the calibration that it was made under."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from extproc.audit import Seen
from extproc.detectors.calibration import sketching_key
from extproc.detectors.reference import encode
from extproc.detectors.seen import name
from tests.audit.logs import START, chain, lines
from tests.detectors.questions import reference
from tests.replay.watched import KEY, learned
from tests.replay.watched import policy as watched

CALLERS = 40
EXCHANGES = 20
REFERENCE = name(encode(reference(sketching_key(KEY))))
"""That of ``policy``'s calibration."""


@cache
def seen() -> tuple[Seen, ...]:
    """Of callers one after the other, in the order in which they came."""
    rng = np.random.default_rng(3)
    asked = learned(CALLERS * EXCHANGES, stranger=False)
    found = []
    for caller in range(CALLERS):
        begins = rng.uniform(0, 7 * 86_400)
        for number, each in enumerate(islice(asked, EXCHANGES)):
            time = START + timedelta(seconds=begins + 60.0 * number)
            who = f"key:{caller:016x}"
            found.append(replace(each, time=time, principal=who))
    return tuple(sorted(found, key=lambda each: each.time))


def policy(folder: Path, tenant: str = "") -> Path:
    """A policy that looks at each principal."""
    path = watched(folder, tenant=tenant)
    text = path.read_text()
    path.write_text(
        text.replace("{reference: reference}", "{reference: reference, per: principal}")
    )
    return path


def written(path: Path, said: Sequence[Seen]) -> Path:
    """A file of the log."""
    log = chain()
    path.write_bytes(b"".join([*lines(log.opening(START, 100)), *map(log.record, said)]))
    return path
