"""What ``extproc calibrate`` prints: each traffic class, and what may be claimed of it.

Rule: nothing of the traffic but counts and names of classes.
"""

import json
from pathlib import Path

import msgspec

from extproc.calibration.thresholds import claim
from extproc.detectors.calibration import Calibration


def text(made: Calibration, into: Path) -> str:
    many = len(made.thresholds)
    lines = [f"{into}: {many} traffic class{'es' if many > 1 else ''}"]
    for name, each in made.thresholds.items():
        lines.append(
            f"{name}: {each.set_by:,} benign clients set the threshold, {each.alarms:,} of "
            f"{each.clients:,} later ones reach it; {claim(each)}"
        )
    return "\n".join(lines)


def to_json(made: Calibration) -> str:
    """Without the reference."""
    thresholds = {
        name: {**msgspec.to_builtins(each), "claim": claim(each)}
        for name, each in made.thresholds.items()
    }
    return json.dumps({"floor": made.floor, "thresholds": thresholds}, indent=2)
