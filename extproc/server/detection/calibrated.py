"""What the policy file's calibration makes of detection: who watches, by what, and how closely."""

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from extproc.cohorts.usual import Usual
from extproc.config import DetectionPlan
from extproc.detectors.calibration import sketching_key
from extproc.detectors.forest import Forest
from extproc.detectors.panel import layout
from extproc.detectors.profile import Layout
from extproc.detectors.reference import decode
from extproc.detectors.seen import name
from extproc.detectors.sketch import Sketcher
from extproc.errors import ConfigError, Malformed
from extproc.server.detection.settings import Settings


class Calibrated(Struct, frozen=True, eq=False):
    settings: Settings
    layout: Layout
    sketcher: Sketcher
    base: npt.NDArray[np.float64]
    """How often each cell is asked about, in all 1; shape (cells,)."""
    usual: dict[str, Usual]
    """By traffic class: how much evidence benign callers have."""


def calibrated(plan: DetectionPlan, key: bytes) -> Calibrated:
    """``key`` is that of ``keys.hmac``.  Raise ConfigError where the calibration's reference or
    forest cannot be used.
    """
    found = plan.calibration
    assert found is not None  # it is lightened only once it is in use
    try:
        reference = decode(found.reference)
        forest = Forest.load(found.forest) if found.forest else None
        watched = layout(reference, found.floor, plan.half_life, forest)
        sketcher = Sketcher(reference, sketching_key(key))
        usual = {
            name: Usual(each, found.affinities.get(name, b"")) for name, each in found.usual.items()
        }
    except (ConfigError, Malformed, ValueError) as error:
        raise ConfigError(f"detection.reference: {plan.path}: {error}") from error
    settings = Settings(
        half_life=plan.half_life,
        per="principal" if plan.by_principal else "tenant",
        profiles=plan.profiles,
        thresholds={traffic: each.nats for traffic, each in found.thresholds.items()},
        reference=name(found.reference),
        discounts={traffic: each.discounts for traffic, each in found.thresholds.items()},
    )
    shares = np.concatenate(reference.shares)
    return Calibrated(settings, watched, sketcher, shares / shares.sum(), usual)
