import re
from hashlib import sha1
from pathlib import Path

import pytest

from extproc.stores.redis import scripts
from extproc.stores.redis.scripts import NAMES, script

FOLDER = Path(scripts.__file__).parent / "lua"


@pytest.mark.parametrize("name", NAMES)
def test_a_script_stands_behind_what_all_share_and_is_known_by_its_digest(name: str) -> None:
    found = script(name)
    assert found.text.startswith("-- The arithmetic of extproc/limits")
    assert found.text.endswith((FOLDER / f"{name}.lua").read_text("utf-8"))
    assert found.sha == sha1(found.text.encode()).hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_a_script_says_what_its_keys_and_words_are(name: str) -> None:
    head = (FOLDER / f"{name}.lua").read_text("utf-8").partition("\nlocal")[0]
    assert all(each in head for each in ("KEYS", "ARGV", "Answer"))
    asked = {int(number) for number in re.findall(r"ARGV\[(\d+)\]", script(name).text)}
    assert max(asked, default=0) < 10


def test_there_is_no_other_file() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {*NAMES, "states", "groups"}
