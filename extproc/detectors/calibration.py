"""What ``extproc calibrate`` found out about benign callers, and the file it is kept in.

Rule: the file is read only where it was signed under the policy's own key: HMAC-SHA256 over all of
it, compared in constant time before anything is decoded.  What is decoded is numbers, names and
octets (MessagePack); nothing in it is ever run, as a pickle would be.
"""

import hashlib
import hmac
import math
from typing import Final

import msgspec
from msgspec import Struct

from extproc.errors import ConfigError

LARGEST: Final = 64 << 20
"""Bytes of a file."""
CLASSES: Final = 64
"""Traffic classes of one calibration."""
_MAGIC: Final = b"extproc calibration 1\n"
_SIGNED: Final = hashlib.sha256().digest_size
_REMEDY: Final = "make it again with extproc calibrate, under this policy"


class Threshold(Struct, frozen=True, forbid_unknown_fields=True):
    """Of one traffic class."""

    nats: float
    """Combined evidence that a benign caller reaches once in a thousand lives, or less often."""
    discounts: dict[str, float]
    """Nats that are taken off the evidence of each detector first; see evidence.py."""
    set_by: int
    """Benign clients of which the threshold was made."""
    clients: int
    """Other benign clients, of later traffic, on which it was tried."""
    alarms: int
    """Of those: how many reached it, at any query of their lives."""
    lowest: float
    highest: float
    """The exact limits of the share of benign clients that do, each at 95 %."""


class Calibration(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of the file."""

    reference: bytes
    """What benign queries look like, as ``Reference`` writes it."""
    floor: float
    """How novel benign queries of one caller may be together; see novelty.py."""
    thresholds: dict[str, Threshold]
    """By traffic class."""
    latest: float
    """When the last exchange came of which it was made, in seconds since 1970."""
    forest: bytes = b""
    """An isolation forest over the features of sessions; empty where there is none."""
    usual: dict[str, dict[str, tuple[tuple[float, ...], ...]]] = {}
    """By traffic class and detector: how much evidence benign clients have after so many queries;
    see cohorts/usual.py.  Not of a class that had too few."""
    affinities: dict[str, bytes] = {}
    """By traffic class: what benign clients ask of together; see cohorts/affinity.py."""


def sketching_key(key: bytes) -> bytes:
    """Under which queries are sketched, of ``keys.hmac``: a reference holds for no other."""
    return hmac.digest(key, b"detection", "sha256")


def seal(calibration: Calibration, key: bytes) -> bytes:
    """The file, signed under ``keys.hmac``.  Raise ConfigError where it is too large."""
    _check(calibration)
    body = msgspec.msgpack.encode(calibration)
    if len(_MAGIC) + _SIGNED + len(body) > LARGEST:
        raise ConfigError(f"a calibration of over {LARGEST >> 20} MiB; give less traffic")
    return _MAGIC + _signature(body, key) + body


def open_sealed(file: bytes, key: bytes) -> Calibration:
    """What is in a file that ``seal`` made under the same key.

    Raise ConfigError where it is anything else; the message does not say which file it is.
    """
    if len(file) > LARGEST:
        raise ConfigError(f"larger than {LARGEST >> 20} MiB: no calibration; {_REMEDY}")
    head, signature = file[: len(_MAGIC)], file[len(_MAGIC) : len(_MAGIC) + _SIGNED]
    body = file[len(_MAGIC) + _SIGNED :]
    if head != _MAGIC:
        raise ConfigError(f"no calibration, or one of another version; {_REMEDY}")
    if not hmac.compare_digest(signature, _signature(body, key)):
        raise ConfigError(f"changed, or signed under another keys.hmac; {_REMEDY}")
    try:
        calibration = msgspec.msgpack.decode(body, type=Calibration)
    except msgspec.DecodeError as error:
        raise ConfigError(f"a calibration of another version; {_REMEDY}") from error
    _check(calibration)
    return calibration


def _signature(body: bytes, key: bytes) -> bytes:
    derived = hmac.digest(key, b"calibration", "sha256")
    return hmac.digest(derived, _MAGIC + body, "sha256")


def _check(calibration: Calibration) -> None:
    """A threshold that is not above 0 would suspect everybody, and one without end nobody."""
    thresholds = calibration.thresholds.values()
    if not 0 < len(thresholds) <= CLASSES or not all(map(_usable, thresholds)):
        raise ConfigError(f"a calibration without thresholds that can be used; {_REMEDY}")
    if not 0 < calibration.floor <= 1:
        raise ConfigError(f"a calibration of novelty that is not within (0, 1]; {_REMEDY}")


def _usable(threshold: Threshold) -> bool:
    return 0 < threshold.nats < math.inf and all(map(math.isfinite, threshold.discounts.values()))
