"""The inputs that a target file names."""

from pathlib import Path

import numpy as np
import pytest

from extproc.redteam.target.material import bounds, dealt, numbers, texts

ROWS = np.arange(60, dtype=np.float64).reshape(20, 3)


def test_rows_are_read_from_any_of_three_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ROWS)
    np.savez(tmp_path / "a.npz", inputs=ROWS)
    np.savetxt(tmp_path / "a.csv", ROWS, delimiter=",")
    for name in ("a.npy", "a.npz", "a.csv"):
        assert np.array_equal(numbers(tmp_path / name), ROWS)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.txt", "write inputs as"),
        ("few.npy", "needs 20 rows"),
        ("nan.npy", "finite"),
        ("other.npz", "no rows of inputs"),
        ("missing.npy", "no rows of inputs"),
    ],
)
def test_what_are_no_rows_is_said(tmp_path: Path, name: str, said: str) -> None:
    np.save(tmp_path / "few.npy", ROWS[:19])
    np.save(tmp_path / "nan.npy", ROWS * np.nan)
    np.savez(tmp_path / "other.npz", rows=ROWS)
    with pytest.raises(ValueError, match=said):
        numbers(tmp_path / name)


def test_texts_are_lines_each_once(tmp_path: Path) -> None:
    lines = [f"text {at}" for at in range(20)]
    (tmp_path / "a.txt").write_text("\n".join([*lines, "", lines[3]]))
    assert texts(tmp_path / "a.txt") == lines
    (tmp_path / "few.txt").write_text("\n".join(lines[1:]))
    for name, said in (("few.txt", "needs 20"), ("a.md", "write texts"), ("b.txt", "cannot be")):
        with pytest.raises(ValueError, match=said):
            texts(tmp_path / name)


def test_the_judge_and_the_attacker_share_no_input() -> None:
    judged, own = dealt(21)
    assert sorted([*judged, *own]) == list(range(21))
    assert np.array_equal(judged, dealt(21)[0]), "the same in every run"


def test_bounds_are_those_given_or_those_of_the_rows() -> None:
    low, high = bounds(ROWS, None, 99.0)
    assert (low.tolist(), high.tolist()) == ([0, 1, 2], [99, 99, 99])
    assert bounds(ROWS, [0, 0, 1], None)[0].tolist() == [0, 0, 1]
    for wrong, said in (([0, 0], "one for each input"), (1000.0, "low is above high")):
        with pytest.raises(ValueError, match=said):
            bounds(ROWS, wrong, None)
    with pytest.raises(ValueError, match="low is above high"):
        bounds(ROWS, [0, 2, 0], [1, 1, 1])
