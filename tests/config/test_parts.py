from pathlib import Path

from extproc.config.document import Origin
from extproc.config.parts import Part, parts, where
from extproc.config.source import read

TEXT = "a: {b: 1}\nc:\n  - x\n  - {d: null}\n"


def _read(folder: Path) -> Part:
    (folder / "p.yaml").write_text(TEXT, encoding="utf-8")
    return parts(read(folder / "p.yaml"), (), "default")


def test_a_tree_says_what_the_file_said_and_where(tmp_path: Path) -> None:
    whole = _read(tmp_path)
    lines, foreign = where(whole)

    assert whole.data() == {"a": {"b": 1}, "c": ["x", {"d": None}]}
    assert lines == read(tmp_path / "p.yaml").lines
    assert foreign["c", 1, "d"] == Origin(tmp_path / "p.yaml", 4, "default")


def test_what_is_the_policy_files_own_is_not_foreign(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(TEXT, encoding="utf-8")
    assert where(parts(read(tmp_path / "p.yaml")))[1] == {}


def test_a_part_of_a_file_begins_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(TEXT, encoding="utf-8")
    part = parts(read(tmp_path / "p.yaml"), ("c", 1))
    assert (part.data(), part.origin.line) == ({"d": None}, 4)
    left = parts(read(tmp_path / "p.yaml"), leaving=["a"])
    assert left.data() == {"c": ["x", {"d": None}]}


def test_entries_are_of_mappings_alone(tmp_path: Path) -> None:
    whole = _read(tmp_path)
    assert whole.entries["c"].entries == {}
    assert whole.but("a").data() == {"c": ["x", {"d": None}]}
