"""The documents show each way to shape answers, and a real Envoy does what they show."""

import re
from pathlib import Path

import pytest

from tests.sidechannels.examples import SHAPINGS, lines

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", SHAPINGS)
def test_the_document_shows_what_a_run_gave(name: str) -> None:
    document = (ROOT / "docs" / "side-channels.md").read_text(encoding="utf-8")
    block = document.split(
        f"<!-- output: .venv/bin/python -m tests.sidechannels.examples {name} -->"
    )
    shown = block[1].split("```text\n")[1].split("\n```\n")[0]
    assert shown.startswith(SHAPINGS[name])
    assert re.search(r"before +.*\n.*after|before +after", shown)


@pytest.mark.e2e
@pytest.mark.parametrize("name", SHAPINGS)
def test_what_is_shaped_is_alike_and_what_is_not_tells(name: str, tmp_path: Path) -> None:
    _, *told = lines(name, tmp_path)
    numbers = [[*map(int, re.findall(r"(\d+) (?:ms|B)\b", line))] for line in told]
    pairs = [found for found in numbers if len(found) == 2]
    match name:
        case "timing":
            assert all(after >= 250 for _, after in pairs)
            assert min(before for before, _ in pairs) < 250
        case "length":
            assert {after for _, after in pairs} == {1024}
            assert len({before for before, _ in pairs}) == 3
        case _:
            before, after = numbers
            assert {*after[1::2]} == {512}
            assert len({*before[1::2]}) > 1
