from pathlib import Path

import pytest

from tests.sidechannels.report import findings, markdown, paste
from tests.sidechannels.sampling import GRID, Seen, shaped


def seen(seconds: float, length: int) -> Seen:
    return Seen([seconds + at / 1e6 for at in range(100)], [length] * 100)


def test_what_tells_nothing_is_within_the_goals_and_what_tells_is_not() -> None:
    quiet = findings("a or b", (seen(0.25, 1024), seen(0.25, 1024)), shaped=True)
    loud = findings("a or b", (seen(0.25, 1024), seen(0.3, 2048)), shaped=True)
    assert [each.good for each in quiet] == [True, True]
    assert [each.good for each in loud] == [False, False]
    open_ = findings("a or b", (seen(0.2, 10), seen(0.3, 20)), shaped=False)
    text = markdown([*quiet, *loud, *open_], "about", 0.2)
    assert text.count("| NO |") == 2
    assert text.count("| yes |\n") == 2
    assert "Latency paid: 200 ms" in text
    assert "| a or b | length | no | 1.000" in text
    assert "| 1.000 (1.000 to 1.000) | +50000 us | " in text
    assert "| 0.500 (0.500 to 0.500) | +0 B | " in text


def test_a_table_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- sidechannels -->\nold\n<!-- /sidechannels -->\nafter\n")
    paste("new\n", page)
    text = "before\n<!-- sidechannels -->\nnew\n<!-- /sidechannels -->\nafter\n"
    assert page.read_text() == text
    page.write_text("nothing")
    with pytest.raises(ValueError, match="has no"):
        paste("new\n", page)


def test_the_shaped_policy_is_the_end_to_end_tests_own() -> None:
    changed = shaped("version: 1\nroutes:\n")
    assert f"grid: {GRID * 1000:.0f}ms" in changed
    assert changed.endswith("routes:\n")
