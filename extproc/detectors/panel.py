"""All detectors that watch a caller, in the order in which their counters stand in a profile.

Rule: ``extproc calibrate`` and the sidecar take them from here, so that what is calibrated is what
runs.
"""

from extproc.detectors.boundary import Boundary
from extproc.detectors.cadence import Cadence
from extproc.detectors.coverage import Coverage
from extproc.detectors.detector import Detector
from extproc.detectors.forest import Forest
from extproc.detectors.isolation import Isolation
from extproc.detectors.knobs import Knobs
from extproc.detectors.near_duplicate import NearDuplicate
from extproc.detectors.novelty import Novelty
from extproc.detectors.profile import Layout
from extproc.detectors.reference import TEXT, Reference
from extproc.detectors.volume import Volume


def panel(reference: Reference, floor: float, half_life: float) -> tuple[Detector, ...]:
    """Those that measure by a reference, and those that need none.

    ``floor`` as of ``Novelty``; ``half_life`` of a profile's counters, in seconds.
    """
    return (
        Coverage(reference.shares),
        Novelty(floor),
        NearDuplicate(numbers=any(name != TEXT for name in reference.domains)),
        Boundary(),
        Cadence(),
        Knobs(),
        Volume(half_life),
    )


def layout(
    reference: Reference, floor: float, half_life: float, forest: Forest | None = None
) -> Layout:
    """A profile of them, looked at by a forest too where there is one; others as of ``panel``."""
    alone = Layout(panel(reference, floor, half_life))
    if forest is None:
        return alone
    return Layout(alone.detectors, [Isolation(forest, alone.parts)])
