"""One call of ``extproc redteam``, up to where processes start."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from extproc.redteam import campaign
from extproc.redteam.aim import Asked, aim
from extproc.redteam.firing_range.firing_range import free_port
from extproc.redteam.journal import Entry, fingerprint, open_journal
from extproc.redteam.row import Row
from tests.redteam.target.test_target import _target


def _asked(directory: Path) -> Asked:
    return Asked(
        directory=directory, quick=True, attacks=("equation-solving",), victims=("digits",)
    )


def test_a_run_that_is_whole_is_told_again_without_starting_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "goals.yaml").write_text("goals: []")
    asked = replace(_asked(tmp_path), goals=tmp_path / "goals.yaml")
    found = aim(asked)
    journal = open_journal(tmp_path / "journal.jsonl", fingerprint(found.trials, found.files))
    for trial in found.trials:
        row = Row(
            attack=trial.attack,
            victim=trial.victim,
            policy=trial.policy,
            seed=trial.seed,
            measure="agreement.task",
            value=0.25,
        )
        journal.add(Entry(trial=trial.name, seconds=1, rows=(row,)))
    assert campaign.run(asked) == 0
    told = capsys.readouterr().out
    assert "0 of 0 goals hold" in told
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_a_goal_of_what_was_not_measured_is_not_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shipped goals, of a run whose trials came to their end without a row."""
    found = aim(_asked(tmp_path))
    journal = open_journal(tmp_path / "journal.jsonl", fingerprint(found.trials, found.files))
    for trial in found.trials:
        journal.add(Entry(trial=trial.name, seconds=1, rows=()))
    assert campaign.run(_asked(tmp_path)) == campaign.NOT_HELD
    assert "Without a defence, a softmax regression is copied" in capsys.readouterr().err


@pytest.mark.parametrize(("right", "code"), [(1_000, campaign.NOT_HELD), (500, 0)])
def test_a_promise_of_training_that_answers_prove_wrong_fails_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], right: int, code: int
) -> None:
    """Epsilon 3 is declared: a thousand guesses, all of them right, are more."""
    (tmp_path / "goals.yaml").write_text("goals: []")
    asked = replace(
        _asked(tmp_path),
        attacks=("membership",),
        victims=("digits-dp-3",),
        goals=tmp_path / "goals.yaml",
    )
    found = aim(asked)
    journal = open_journal(tmp_path / "journal.jsonl", fingerprint(found.trials, found.files))
    counts = {"right": right, "made": 1_000, "records": 1_000}
    for trial in found.trials:
        rows = tuple(
            Row(
                attack=trial.attack,
                victim=trial.victim,
                policy=trial.policy,
                seed=trial.seed,
                measure=f"guesses.{name}",
                value=float(count),
            )
            for name, count in counts.items()
        )
        journal.add(Entry(trial=trial.name, seconds=1, rows=rows))
    assert campaign.run(asked) == code
    broken = "broken promise: digits-dp-3 under none: training is declared to have epsilon 3"
    assert (broken in capsys.readouterr().err) is (code != 0)


@pytest.mark.parametrize(
    ("attacks", "told"),
    [
        (("equation-solving",), {"solved"}),
        (("detection",), {"thief"}),
        (("detection", "equation-solving"), {"solved", "thief"}),
    ],
)
def test_a_run_is_judged_by_the_goals_of_what_it_tries(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    attacks: tuple[str, ...],
    told: set[str],
) -> None:
    asked = replace(_asked(tmp_path), attacks=attacks)
    found = aim(asked)
    journal = open_journal(tmp_path / "journal.jsonl", fingerprint(found.trials, found.files))
    for trial in found.trials:
        journal.add(Entry(trial=trial.name, seconds=1, rows=()))
    assert campaign.run(asked) == campaign.NOT_HELD
    said = {"solved": "a softmax regression is copied", "thief": "taken for one"}
    error = capsys.readouterr().err
    assert {name for name, text in said.items() if text in error} == told


def test_another_run_in_its_directory_is_refused_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = aim(_asked(tmp_path))
    open_journal(tmp_path / "journal.jsonl", fingerprint(found.trials[:2], found.files))
    assert campaign.run(_asked(tmp_path)) == campaign.WRONG_FILE
    assert "--fresh discards it" in capsys.readouterr().err


def test_a_target_where_nothing_answers_ends_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _target(tmp_path, url=f"http://127.0.0.1:{free_port()}")
    asked = Asked(directory=tmp_path / "out", target=tmp_path / "target.yaml", count=1)
    assert campaign.run(asked) == campaign.UNATTACKABLE
    assert "nothing answers at http://127.0.0.1" in capsys.readouterr().err
