"""Reports and commitments in a terminal."""

import io
import json

from rich.console import Console

from extproc.ownership import table
from extproc.ownership.commitments import Bounds, committed
from extproc.ownership.held import Held, held
from extproc.ownership.judging import LEVEL
from extproc.ownership.power import ENOUGH_TEXTS, needed
from tests.ownership.making import Made, copied
from tests.ownership.moving import said, told, world
from tests.ownership.test_report import report
from tests.ownership.writing import canary, listed


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
    shows = shown(on)
    assert "tenant acme, model digits  carries the marks  20 of 20 (100%)" in shows
    assert "It carries the marks of tenant acme" in shows
    assert "10 questions were not answered: each counts against the accusation." in shows


def test_what_is_held_is_a_row_for_each(made: Made) -> None:
    table.show_held(some(made), on := console())
    assert "tenant acme, model digits  acme       3      12" in shown(on)
    assert f"no, of {needed(LEVEL)} marks" in shown(on)


def test_what_is_written_is_a_row_of_its_own(made: Made) -> None:
    """Planted: without it, whose texts alone are marked holds nothing."""
    made.some(3, 12)
    listed(made, model="digits")
    canary(made, model="digits")
    canary(made, 1, model="digits")
    made.write()
    log = committed([made.log], [made.folder / "audit.pub"], Bounds(), live=False)
    table.show_held(held(log.counted), on := console())
    rows = [" ".join(row.split()) for row in shown(on).splitlines()]
    assert rows[1].startswith("tenant acme, model digits acme 3 12 2026-")
    assert rows[2].startswith("tenant acme, model digits acme 1 list, 2 canaries 2026-")
    assert rows[2].endswith("yes")


def test_it_is_told_as_json(made: Made) -> None:
    [told] = json.loads(table.held_as_json(some(made)))
    assert (told["tenant"], told["marks"], told["enough"]) == ("acme", 3, False)


def test_embeddings_have_a_table_of_their_own(made: Made) -> None:
    texts = world().texts[:300]
    served, entries = told("acme", texts, world().private(texts))
    for entry in entries:
        made.keep(entry)
    table.show(report(made, said(texts, served)), on := console())
    shows = shown(on)
    assert "tenant acme, model minilm  carries the marks  300 of 300  +" in shows
    assert "controls" not in shows
    log = committed([made.log], [made.folder / "audit.pub"], Bounds(), live=False)
    table.show_held(held(log.counted), on := console())
    assert f"300 texts            2026-03-01  2026-03-01  no, of {ENOUGH_TEXTS} texts" in shown(on)


def test_a_name_does_nothing_to_a_terminal(made: Made) -> None:
    """A caller names the model that he asks for, where a policy permits any."""
    made.some(20, 80, model="\x1b[2J\x9bm\u202edigits")
    table.show(report(made, copied(made.entries)), on := console())
    table.show_held(
        held(committed([made.log], [made.folder / "audit.pub"], Bounds(), live=False).counted), on
    )
    assert not {"\x1b", "\x9b", "\u202e"} & {*shown(on)}
    assert "digits" in shown(on)
