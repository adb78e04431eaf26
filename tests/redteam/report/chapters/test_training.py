from extproc.redteam.report.chapters.training import section
from extproc.redteam.report.document import Table
from extproc.redteam.report.verdicts import decide
from tests.redteam.report.test_promises import NONE, _model, _rows


def test_of_a_model_of_which_nothing_is_declared_that_is_said() -> None:
    found = section(decide(NONE, _model(_rows(95, 96))))
    assert found is not None
    table = found.blocks[1]
    assert isinstance(table, Table)
    told = [entry.text[0].text for entry in table.records[0].entries]
    assert (told[2], told[5]) == ("nothing", "nothing was promised")
