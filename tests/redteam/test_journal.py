"""What a run has measured so far."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from extproc.redteam import journal as journals
from extproc.redteam.journal import Entry, Fingerprint, fingerprint, open_journal
from extproc.redteam.plan import Planned
from extproc.redteam.row import Row

TRIALS = [Planned("equation-solving", "digits", "none", seed, (65, 130)) for seed in (1, 2)]
ROW = Row(attack="a", victim="v", policy="p", seed=1, measure="m", value=0.5)
ENTRY = Entry(trial="one", seconds=1.5, rows=(ROW,))


@pytest.fixture
def mark(tmp_path: Path) -> Fingerprint:
    file = tmp_path / "policy.yaml"
    file.write_text("policies: {}")
    return fingerprint(TRIALS, [file])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report" / "journal.jsonl"


def test_what_was_added_is_there_when_it_is_opened_again(path: Path, mark: Fingerprint) -> None:
    journal = open_journal(path, mark)
    journal.add(ENTRY)
    assert journal.entries == {"one": ENTRY}
    assert open_journal(path, mark).entries == {"one": ENTRY}


def test_a_line_is_on_the_disk_before_the_trial_counts_as_done(
    path: Path, mark: Fingerprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, sizes = os.fsync, list[int]()

    def noted(file: int) -> None:
        really(file)
        sizes.append(os.fstat(file).st_size)

    monkeypatch.setattr(os, "fsync", noted)
    journal = open_journal(path, mark)
    begun = path.stat().st_size
    journal.add(ENTRY)
    assert sizes == [begun, path.stat().st_size]


def test_a_last_line_that_was_cut_short_is_none_and_hurts_no_later_one(
    path: Path, mark: Fingerprint
) -> None:
    open_journal(path, mark).add(ENTRY)
    whole = path.read_bytes()
    for cut in range(1, len(whole.splitlines()[-1])):
        path.write_bytes(whole[:-cut])
        journal = open_journal(path, mark)
        assert journal.entries == {}
        journal.add(ENTRY)
        assert path.read_bytes() == whole


def test_a_journal_of_which_not_even_the_first_line_was_written_is_begun(
    path: Path, mark: Fingerprint
) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"source"')
    open_journal(path, mark).add(ENTRY)
    assert open_journal(path, mark).entries == {"one": ENTRY}


def test_a_journal_of_another_run_is_refused_with_the_remedy(
    path: Path, mark: Fingerprint, tmp_path: Path
) -> None:
    open_journal(path, mark).add(ENTRY)
    (tmp_path / "policy.yaml").write_text("policies: {gold: {}}")
    others = {
        "seeds": fingerprint(TRIALS[:1], [tmp_path / "policy.yaml"]),
        "files": fingerprint(TRIALS, [tmp_path / "policy.yaml"]),
    }
    for field, other in others.items():
        with pytest.raises(ValueError, match=rf"of another run \({field} differ\): --fresh"):
            open_journal(path, other)
    assert open_journal(path, others["files"], fresh=True).entries == {}


def test_what_is_no_journal_is_refused(path: Path, mark: Fingerprint) -> None:
    path.parent.mkdir()
    path.write_text("hello\n")
    with pytest.raises(ValueError, match="this is no journal: --fresh begins a new one"):
        open_journal(path, mark)


def test_a_budget_more_is_another_run(mark: Fingerprint) -> None:
    more = [Planned("equation-solving", "digits", "none", seed, (65,)) for seed in (1, 2)]
    assert mark.unlike(fingerprint(more, [])) == "budgets"
    assert mark.unlike(mark) == ""


def test_another_trial_is_another_run(mark: Fingerprint, tmp_path: Path) -> None:
    first, second = TRIALS
    for other in (replace(first, victim="cancer"), replace(first, budgets=(31, 130))):
        assert mark.unlike(fingerprint([other, second], [tmp_path / "policy.yaml"])) == "trials"


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("redteam/attacks/copycat.py", True),
        ("redteam/firing_range/policies.yaml", True),
        ("limits/window.lua", True),
        ("audit/log.py", True),
        ("redteam/report/plots.py", False),
        ("redteam/goals.yaml", False),
        ("README.md", False),
    ],
)
def test_a_run_is_of_its_source_but_for_what_only_tells_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, counts: bool
) -> None:
    monkeypatch.setattr(journals, "PACKAGE", tmp_path)
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("before")
    before = fingerprint(TRIALS, [])
    file.write_text("after")
    assert before.unlike(fingerprint(TRIALS, [])) == ("source" if counts else "")
