"""What a record keeps of an exchange's features: enough to make them anew, for ``extproc replay``.

Rule: bucket numbers and keyed digests, as features are; what is nothing is left out.  A surprise is
kept to the sixteenth of a nat, all else as it is.
"""

from binascii import b2a_base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from extproc.detectors.features import (
    KNOBS,
    LABELS,
    MARGINS,
    MODELS,
    NORMS,
    Features,
    Outcome,
)
from extproc.errors import Malformed

STEPS: Final = 16
"""Of a surprise, in a nat."""
_MOST: Final = 1 << 16

_NUMBERS: Final = ("queries", "knobs", "model")
_LISTS: Final = ("cells", "lengths", "entropies", "scripts", "labels", "margins", "norms")

_Octet = Annotated[int, Meta(ge=0, le=255)]


class _Seen(Struct, frozen=True, forbid_unknown_fields=True):
    """See Features; ``digests`` and ``simhashes`` are octets, eight each, the lowest first."""

    outcome: Outcome
    queries: Annotated[int, Meta(ge=0)] = 0
    knobs: Annotated[int, Meta(ge=0, lt=1 << KNOBS)] = 0
    model: Annotated[int, Meta(ge=0, lt=MODELS)] = 0
    digests: bytes = b""
    simhashes: bytes = b""
    cells: list[Annotated[int, Meta(ge=-1, lt=1 << 15)]] = []
    surprises: list[Annotated[int, Meta(ge=0, lt=_MOST)]] = []
    lengths: list[_Octet] = []
    entropies: list[_Octet] = []
    scripts: list[_Octet] = []
    labels: list[Annotated[int, Meta(ge=0, lt=LABELS)]] = []
    margins: list[Annotated[int, Meta(ge=0, lt=MARGINS)]] = []
    norms: list[Annotated[int, Meta(ge=0, lt=NORMS)]] = []


def name(reference: bytes) -> str:
    """Tells references apart, as they are written: what was learned by one holds for no other."""
    return sha256(reference).hexdigest()[:16]


def seen(features: Features) -> dict[str, Any]:
    """Values that JSON has, by name, but for the time; digests are in base64."""
    said: dict[str, Any] = {"outcome": features.outcome}
    for name in _NUMBERS:
        if number := getattr(features, name):
            said[name] = number
    if features.sampled:
        said["digests"] = _octets(features.digests)
        said["simhashes"] = _octets(features.simhashes)
        said["surprises"] = [_sixteenths(each) for each in features.surprises.tolist()]
    for name in _LISTS:
        if buckets := getattr(features, name).tolist():
            said[name] = buckets
    return said


def features_of(time: float, said: Mapping[str, object]) -> Features:
    """What ``seen`` was told, of an exchange whose request came then.  Raise Malformed."""
    try:
        found = msgspec.convert(said, _Seen)
        digests = np.frombuffer(found.digests, "<u8")
        simhashes = np.frombuffer(found.simhashes, "<u8")
    except (msgspec.ValidationError, ValueError) as error:
        raise Malformed("features that were never made") from error
    rows = (simhashes, found.cells, found.surprises, found.lengths, found.entropies, found.scripts)
    if any(len(each) != len(digests) for each in rows):
        raise Malformed("features of more inputs in one way than in another")
    return Features(
        time=time,
        outcome=found.outcome,
        digests=digests.astype(np.uint64),
        simhashes=simhashes.astype(np.uint64),
        cells=np.array(found.cells, np.int16),
        surprises=np.array(found.surprises, np.float32) / np.float32(STEPS),
        lengths=np.array(found.lengths, np.uint8),
        entropies=np.array(found.entropies, np.uint8),
        scripts=np.array(found.scripts, np.uint8),
        labels=np.array(found.labels, np.uint8),
        margins=np.array(found.margins, np.uint8),
        norms=np.array(found.norms, np.uint8),
        knobs=found.knobs,
        model=found.model,
        queries=found.queries,
    )


def _octets(digests: npt.NDArray[np.uint64]) -> str:
    return b2a_base64(digests.astype("<u8", copy=False).tobytes(), newline=False).decode()


def _sixteenths(surprise: float) -> int:
    return round(max(0.0, min(_MOST - 1, surprise * STEPS)))
