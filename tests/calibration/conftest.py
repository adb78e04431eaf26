"""One calibration, which several tests look at."""

import pytest

from extproc.calibration.making import calibrate
from extproc.detectors.calibration import Calibration
from tests.calibration.recording import KEY, WEEK, record


@pytest.fixture(scope="session")
def said() -> list[str]:
    """What it told of its progress."""
    return []


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, said: list[str]) -> Calibration:
    path = record(tmp_path_factory.mktemp("traffic") / "traffic.jsonl")
    return calibrate(path, KEY, WEEK, said.append)
