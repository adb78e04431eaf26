import io
import json
import math

from rich.console import Console

from extproc.promises.outlook import Line
from extproc.promises.table import show, to_json

LINE = Line("acme", "key:" + "a" * 64, "digits", 2.0, 1e-5, 1.234, 0.5, 1200, 3.25, 7, 1.23)


def shown(*lines: Line, changed: bool = False) -> list[str]:
    out = io.StringIO()
    show(lines, changed=changed, console=Console(file=out))
    return out.getvalue().splitlines()


def test_a_counter_is_a_line() -> None:
    head, line = shown(LINE)
    names = ["of", "subject", "budget", "promised", "spent", "used", "answers", "left", "lasts"]
    assert head.split() == names
    cells = ["acme", "key:" + "a" * 16 + "…", "digits", "(2,", "1e-05)", "1.234", "50.0%"]
    assert line.split() == [*cells, "1,200", "3.2", "days"]


def test_a_change_has_a_column_of_its_own() -> None:
    head, line = shown(LINE, changed=True)
    assert head.rstrip().endswith("answers left then")
    assert line.split()[-1] == "7"
    bare = Line("acme", "", "digits", 2.0, 1e-5, 1.0, 0.5, None, None)
    assert shown(bare, changed=True)[1].split()[-1] == "50.0%"


def test_a_ledger_of_nothing_says_so() -> None:
    assert shown()[-1] == "nothing has been told of what any budget of privacy counts"


def test_json_has_all_and_no_infinity() -> None:
    endless = Line("acme", "", "digits", 2.0, 1e-5, math.inf, 3.0, 0, 0.0)
    [first, second] = json.loads(to_json([LINE, endless]))
    assert first["answers"] == 1200
    assert (second["spent"], second["used"]) == (None, 3.0)
