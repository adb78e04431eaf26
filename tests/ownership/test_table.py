"""Reports and commitments in a terminal."""

import io
import json

from rich.console import Console

from extproc.ownership import table
from extproc.ownership.commitments import Bounds, committed
from extproc.ownership.held import Held, held
from extproc.ownership.judging import LEVEL
from extproc.ownership.power import needed
from tests.ownership.making import Made, copied
from tests.ownership.test_report import report


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def shown(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


def some(made: Made) -> list[Held]:
    made.some(3, 12)
    made.write()
    return held(committed([made.log], [made.folder / "audit.pub"], Bounds(), live=False).counted)


def test_a_report_is_a_row_for_each_and_a_sentence(made: Made) -> None:
    made.some(20, 80)
    table.show(report(made, copied(made.entries[:90])), on := console())
    said = shown(on)
    assert "tenant acme, model digits  carries the marks  20 of 20 (100%)" in said
    assert "It carries the marks of tenant acme" in said
    assert "10 questions were not answered: each counts against the accusation." in said


def test_what_is_held_is_a_row_for_each(made: Made) -> None:
    table.show_held(some(made), on := console())
    assert "tenant acme, model digits  acme       3      12" in shown(on)
    assert f"no, of {needed(LEVEL)} marks" in shown(on)


def test_it_is_told_as_json(made: Made) -> None:
    [told] = json.loads(table.held_as_json(some(made)))
    assert (told["tenant"], told["marks"], told["enough"]) == ("acme", 3, False)
