"""docs/mutators.md has a section for every mutator, and shows what the code gives today."""

import re
from pathlib import Path
from typing import get_args

import pytest

from extproc.mutators import Mutator
from tests.mutators.examples import EXAMPLES, lines, similarity

DOCUMENT = (Path(__file__).parents[2] / "docs" / "mutators.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"<!-- output: .venv/bin/python -m tests.mutators.examples (?P<name>\w+) -->\n\n"
    r"```text\n(?P<text>.*?)\n```\n",
    re.DOTALL,
)
SHOWN = {block["name"]: block["text"] for block in BLOCK.finditer(DOCUMENT)}
NAMES = [str(each.__struct_config__.tag) for each in get_args(Mutator)]


@pytest.mark.parametrize("name", NAMES)
def test_what_the_document_shows_is_what_the_code_gives(name: str) -> None:
    wanted = similarity() if name == "similarity" else lines(name)
    assert SHOWN[name] == "\n".join(line.rstrip() for line in wanted)


@pytest.mark.parametrize("name", NAMES)
def test_every_mutator_has_a_section_that_says_what_it_does_not_stop(name: str) -> None:
    section = DOCUMENT.split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert "Does not stop" in section


def test_every_mutator_has_an_example() -> None:
    assert {*EXAMPLES, "similarity"} == set(NAMES)
