"""What the command prints."""

import json
from pathlib import Path

from extproc.calibration.table import text, to_json
from tests.detectors.test_calibration import MADE


def test_each_class_is_a_sentence() -> None:
    assert text(MADE, Path("made")) == (
        "made: 1 traffic class\n"
        "user: 3,000 benign clients set the threshold, 1 of 4,000 later ones reach it; "
        "at most 0.100% of benign clients are ever suspected (95 %)"
    )


def test_json_holds_all_but_the_reference() -> None:
    told = json.loads(to_json(MADE))
    assert told["floor"] == 0.8
    assert told["thresholds"]["user"]["alarms"] == 1
    assert told["thresholds"]["user"]["discounts"] == {"coverage": 12.0, "novelty": -0.5}
    assert told["thresholds"]["user"]["claim"].startswith("at most 0.100%")
    assert "points" not in to_json(MADE)
