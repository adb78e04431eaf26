from pathlib import Path

import msgspec
import pytest

from extproc.cohorts.excess import LEVELS
from extproc.cohorts.usual import CHECKPOINTS, Quantiles, Usual
from extproc.config import DetectionPlan
from extproc.detectors.calibration import Calibration, Threshold, sketching_key
from extproc.detectors.reference import encode
from extproc.errors import ConfigError
from extproc.server.detection.calibrated import calibrated
from tests.detectors.questions import KEY, asked, questions, reference
from tests.detectors.trees import by_chance

THRESHOLD = Threshold(20.0, {"coverage": 5.0}, 3000, 3000, 1, 0.0, 0.001)
FOREST = by_chance().dump()
MADE = Calibration(encode(reference(sketching_key(KEY))), 0.8, {"user": THRESHOLD}, 1.7e9)


def plan(made: Calibration = MADE) -> DetectionPlan:
    return DetectionPlan(Path("calibration"), made, b"", 3600.0, True, 7)


def test_who_watches_is_what_the_calibration_says() -> None:
    found = calibrated(plan(), KEY)
    assert found.settings.threshold("user") == 20.0
    assert found.settings.discount("user") == {"coverage": 5.0}
    assert found.settings.discount("other") == {}
    assert (found.settings.per, found.settings.profiles, found.settings.half_life) == (
        "principal",
        7,
        3600.0,
    )
    assert {"coverage", "novelty", "volume"} <= found.layout.parts.keys()
    (features,) = found.sketcher.features([asked(*questions(4, 9))])
    assert (features.cells >= 0).all()
    assert (len(found.base) > 1, found.base.sum()) == (True, pytest.approx(1))


def test_it_is_known_by_which_reference_whatever_else_the_calibration_says() -> None:
    again = msgspec.structs.replace(MADE, floor=0.5, thresholds={"batch": THRESHOLD})
    other = msgspec.structs.replace(MADE, reference=encode(reference(sketching_key(b"o" * 32))))
    one, same = (calibrated(plan(each), KEY).settings.reference for each in (MADE, again))
    assert one == same != calibrated(plan(other), b"o" * 32).settings.reference
    assert len(one) == 16


def test_how_much_evidence_benign_callers_have_is_what_the_calibration_says() -> None:
    rows: Quantiles = {"novelty": (tuple(map(float, range(len(LEVELS)))),) * len(CHECKPOINTS)}
    found = calibrated(plan(msgspec.structs.replace(MADE, usual={"user": rows})), KEY)
    assert found.usual == {"user": Usual(rows)}


def test_its_forest_looks_at_callers_beside_the_detectors() -> None:
    found = calibrated(plan(msgspec.structs.replace(MADE, forest=FOREST)), KEY)
    assert found.layout.names[-1] == "isolation"
    assert found.layout.parts == calibrated(plan(), KEY).layout.parts, "counted as it was"


@pytest.mark.parametrize(
    ("wrong", "key", "message"),
    [
        (MADE, b"o" * 32, "learned under another key"),
        (msgspec.structs.replace(MADE, reference=b"x"), KEY, "no reference"),
        (msgspec.structs.replace(MADE, usual={"user": {"novelty": ((1.0,),)}}), KEY, "quantiles"),
        (msgspec.structs.replace(MADE, forest=b"trees"), KEY, "no isolation forest"),
        (msgspec.structs.replace(MADE, forest=FOREST[:-1]), KEY, "cut off"),
    ],
)
def test_a_calibration_that_cannot_be_used_keeps_it_from_starting(
    wrong: Calibration, key: bytes, message: str
) -> None:
    with pytest.raises(ConfigError, match=f"detection.reference: calibration: .*{message}"):
        calibrated(plan(wrong), key)
