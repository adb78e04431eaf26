"""The exchanges of an audit log: see extproc/replay/traffic.py."""

from pathlib import Path

import pytest

from extproc.errors import ConfigError
from extproc.replay.traffic import exchanges
from tests.audit.logs import written


def _files(folder: Path, *counts: int) -> list[Path]:
    paths = []
    for number, lines in enumerate(written(*counts)):
        path = folder / f"audit.jsonl.{number}"
        path.write_bytes(b"".join(lines))
        paths.append(path)
    return paths


def test_exchanges_come_in_the_order_of_the_log(tmp_path: Path) -> None:
    first, second = _files(tmp_path, 5, 3)
    found = [each.request for each in exchanges([second, first])]
    assert found == [*(f"e{number}" for number in range(5)), "e0", "e1", "e2"]


def test_the_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    (path,) = _files(tmp_path, 3)
    path.write_bytes(path.read_bytes() + b'{"n":9,"kind":"exch')
    assert len([*exchanges([path])]) == 3


def test_a_line_of_something_else_is_named(tmp_path: Path) -> None:
    (path,) = _files(tmp_path, 3)
    path.write_bytes(path.read_bytes() + b"{}\n")
    remedy = "no line of an audit log; see what is wrong with: extproc audit verify"
    with pytest.raises(ConfigError, match=rf"audit.jsonl.0:\d+: {remedy}"):
        [*exchanges([path])]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.jsonl: No such file"):
        [*exchanges([tmp_path / "none.jsonl"])]
