"""What looks at how callers ask, as the policy file wants it: the reference, and whom to tell.

Rule: the reference is read up to a bound, and used only where it was sealed under the policy's own
key; no message holds any of it, or of a secret.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from extproc.config.detection_settings import DetectionSettings
from extproc.config.diagnosis import shown
from extproc.config.document import Document
from extproc.config.expectation import instead
from extproc.config.loading import Config
from extproc.config.receivers import Receiver, compile_receivers
from extproc.config.secret import resolve
from extproc.config.settings import Settings
from extproc.detectors.calibration import LARGEST, Calibration, open_sealed
from extproc.detectors.forest import Forest
from extproc.detectors.reference import decode
from extproc.errors import ConfigError, Malformed
from extproc.units import seconds

_MAKE: Final = "make one with: extproc calibrate"
_REFERENCE: Final = ("detection", "reference")


@dataclass(frozen=True, slots=True)
class DetectionPlan:
    """See detection_settings.DetectionSettings; seconds."""

    path: Path
    """Of the reference."""
    calibration: Calibration | None = field(repr=False)
    """What it holds; None once it is in use."""
    digest: bytes = field(repr=False)
    """Of the file."""
    half_life: float
    by_principal: bool
    profiles: int
    receivers: tuple[Receiver, ...] = ()
    """Of alerts."""

    def lightened(self) -> "DetectionPlan":
        """Without what the reference holds."""
        return replace(self, calibration=None)


def compile_detection(
    config: Config, environ: Mapping[str, str] = os.environ
) -> DetectionPlan | None:
    """None where nobody is to look.  Raise ConfigError where the reference cannot be used, or a
    receiver not be told.
    """
    document, settings = config.document, config.settings.detection
    if settings is None:
        return None
    # Aside: what callers are let do is the same whatever is suspected of them.
    document = replace(document, files=document.files.aside())
    key = resolve(document, ("keys", "hmac"), config.settings.keys.hmac, environ)
    path, content = _content(document, settings)
    calibration = _opened(document, content, key)
    _check_traffic(document, config.settings, calibration)
    return DetectionPlan(
        path=path,
        calibration=calibration,
        digest=sha256(content).digest(),
        half_life=seconds(settings.half_life),
        by_principal=settings.per == "principal",
        profiles=settings.profiles,
        receivers=compile_receivers(document, settings.alerts, environ),
    )


def _content(document: Document, settings: DetectionSettings) -> tuple[Path, bytes]:
    place = _REFERENCE
    path = document.folder(place) / settings.reference
    try:
        content = document.files.read(path, LARGEST)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no path"
        raise document.fault(place, f"{path} cannot be read ({why})", _MAKE) from error
    return path, content


def _opened(document: Document, content: bytes, key: bytes) -> Calibration:
    try:
        calibration = open_sealed(content, key)
        decode(calibration.reference)
    except ConfigError as error:
        wrong, _, remedy = str(error).partition("; ")
        raise document.fault(_REFERENCE, f"it is {wrong}", remedy) from error
    except Malformed as error:
        raise document.fault(_REFERENCE, "no query could be held against it", _MAKE) from error
    try:
        if calibration.forest:
            Forest.load(calibration.forest)
    except ConfigError as error:
        raise document.fault(_REFERENCE, f"it holds {error}", _MAKE) from error
    return calibration


def _check_traffic(document: Document, settings: Settings, calibration: Calibration) -> None:
    for name, policy in settings.policies.items():
        if policy.traffic not in calibration.thresholds:
            place = ("policies", name, "traffic")
            wrong = f"the reference knows no traffic {shown(policy.traffic)}"
            raise document.fault(place, wrong, instead(policy.traffic, calibration.thresholds))
