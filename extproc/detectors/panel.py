"""All detectors that watch a caller, in the order in which their counters stand in a profile.

Rule: ``extproc calibrate`` and the sidecar take them from here, so that what is calibrated is what
runs.
"""

from extproc.detectors.boundary import Boundary
from extproc.detectors.cadence import Cadence
from extproc.detectors.coverage import Coverage
from extproc.detectors.detector import Detector
from extproc.detectors.knobs import Knobs
from extproc.detectors.near_duplicate import NearDuplicate
from extproc.detectors.novelty import Novelty
from extproc.detectors.reference import Reference
from extproc.detectors.volume import Volume


def panel(reference: Reference, floor: float, half_life: float) -> tuple[Detector, ...]:
    """Those that measure by a reference, and those that need none.

    ``floor`` as of ``Novelty``; ``half_life`` of a profile's counters, in seconds.
    """
    return (
        Coverage(reference.shares),
        Novelty(floor),
        NearDuplicate(),
        Boundary(),
        Cadence(),
        Knobs(),
        Volume(half_life),
    )
