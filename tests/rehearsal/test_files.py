from pathlib import Path

import pytest

from extproc.config.document import Document
from extproc.errors import ConfigError
from extproc.rehearsal import files


def test_a_file_is_found_beside_the_one_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"\x00\x01")
    document = Document(tmp_path / "t.yaml", {}, {(): 1, ("a",): 4})
    assert files.contents(document, ("a",), "body") == files.named(tmp_path / "body") == b"\x00\x01"


def test_a_file_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    document = Document(tmp_path / "t.yaml", {}, {(): 1, ("a",): 4})
    with pytest.raises(ConfigError, match=r"t\.yaml:4: a: .*no cannot be read \(No such file"):
        files.contents(document, ("a",), "no")
    with pytest.raises(ConfigError, match=r"no: No such file or directory; name a file to read"):
        files.named(tmp_path / "no")
