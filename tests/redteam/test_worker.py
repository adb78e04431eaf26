"""One process that runs trials."""

from pathlib import Path

import pytest

from extproc.redteam import worker
from extproc.redteam.firing_range.firing_range import free_port
from extproc.redteam.plan import Planned
from extproc.redteam.worker import Known, Task
from tests.redteam.planted_servers import VICTIM


def _task(attack: str) -> Task:
    url = f"http://127.0.0.1:{free_port()}"
    return Task(Planned(attack, "planted", "none", 1, (10,)), url, url, (), 4)


def test_a_trial_that_is_refused_to_the_end_comes_to_its_end() -> None:
    worker._known["planted"] = Known(VICTIM, None)
    outcome = worker.run(_task("equation-solving"))
    assert outcome.failure == ""
    assert {row.measure: row.value for row in outcome.rows}["refused.share"] == 1.0


def test_a_trial_that_raises_is_told_with_its_place() -> None:
    worker._known.pop("moon", None)
    outcome = worker.run(_task("no-such-attack"))
    assert outcome.rows == ()
    assert outcome.failure.startswith("KeyError at worker.py:")


def test_an_error_from_elsewhere_is_told_by_the_red_teams_line() -> None:
    with pytest.raises(OSError) as caught:
        Path("/nonexistent").read_text(encoding="utf-8")
    assert worker._told(caught.value).startswith("FileNotFoundError at test_worker.py:")
