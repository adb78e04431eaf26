import pytest

from extproc.redteam.attack import Family
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.chapters import harm
from extproc.redteam.report.document import Page, Section, Table
from extproc.redteam.report.model import Model, gather
from tests.redteam.report import made_up


def section(page: Page, anchor: str) -> Section:
    return next(each for each in page.sections if each.anchor == anchor)


def test_use_is_drawn_against_protection(page: Page) -> None:
    names = [figure.name for figure in page.figures()]
    assert "trade-digits" in names


def _gathered(*rows: tuple[str, float, int]) -> Model:
    made = [
        made_up.row(measure, value, attack="utility", budget=0, seed=seed)
        for measure, value, seed in rows
    ]
    return gather(made, made_up.RUN, Catalogue.of(made_up.ATTACKS.values()))


def test_use_is_a_named_measure_and_not_the_success_of_a_copy(model: Model) -> None:
    assert harm.utility(model, "digits") == ("utility", "accuracy", "answers that are right")
    assert model.catalogue.low_is_worse("accuracy", "utility")
    assert not model.catalogue.low_is_worse("accuracy", "knockoff")
    assert harm.utility(model, "minilm") is None


def test_refusals_of_all_seeds_are_one_sample() -> None:
    rows = [("false_blocks.batch", 0.1, 1), ("false_blocks.batch", 0.0, 2)]
    counts = [("asked.batch", 20, 1), ("asked.batch", 30, 2)]
    cells = list(_gathered(*rows, *counts).cells.values())
    model = _gathered(*rows, *counts)
    blocked = next(cell for cell in cells if cell.key.measure == "false_blocks.batch")
    share = harm.pooled(model, blocked)
    assert share is not None
    assert (share.value, share.count) == (2 / 50, 50)
    assert share.high == pytest.approx(0.137, abs=0.001)  # Clopper and Pearson's of 2 in 50
    assert harm.pooled(_gathered(*rows), blocked) is None


def test_no_refusals_are_told_with_what_they_could_be(page: Page) -> None:
    tables = [block for block in section(page, "harm").blocks if isinstance(block, Table)]
    told = [span.text for entry in tables[0].records[0].entries for span in entry.text]
    assert "0 of 200 (≤ 1.8%)" in told


def test_what_has_a_table_of_its_own_is_not_told_twice(page: Page) -> None:
    tables = [block for block in section(page, "harm").blocks if isinstance(block, Table)]
    told = {record.entries[1].text[0].text for table in tables[1:] for record in table.records}
    assert told == {"accuracy"}
    assert made_up.ATTACKS["utility"].family is Family.CONTROL
