import msgspec

from extproc.redteam.report.as_json import VERSION, render
from extproc.redteam.report.model import Model
from extproc.redteam.report.verdicts import Verdicts


def test_programs_get_all_cells_and_verdicts(model: Model, verdicts: Verdicts) -> None:
    found = msgspec.json.decode(render(model, verdicts))
    assert (found["version"], found["passed"]) == (VERSION, False)
    assert len(found["cells"]) == len(model.strategies)
    assert {each["id"]: each["verdict"] for each in found["claims"]}["wrong"] == "not held"
    assert any(each["sign"] == "≥" for each in found["costs"])
