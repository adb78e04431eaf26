from extproc.redteam.preflight import NAME
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.chapters import attacks, looked
from extproc.redteam.report.document import Table
from extproc.redteam.report.model import Model, gather
from extproc.redteam.report.verdicts import Verdicts
from tests.redteam.report import made_up


def _looked() -> Model:
    rows = [
        made_up.row(measure, value, attack=NAME, policy=policy, budget=0, seed=0)
        for policy in ("sealed", "coarse", "full")
        for measure, value in (
            ("policy.serves", 1.0),
            ("policy.changes", float(policy != "full")),
            ("policy.other_labels", 0.25 * (policy == "full")),
        )
    ]
    return gather(rows, made_up.RUN, Catalogue.of(made_up.ATTACKS.values()))


def test_policies_that_came_out_alike_stand_together_in_order() -> None:
    section = looked.section(_looked())
    assert section is not None
    table = section.blocks[1]
    assert isinstance(table, Table)
    told = [[entry.text[0].text for entry in record.entries] for record in table.records]
    assert told == [
        ["digits", "full", "100%", "0%", "25%"],
        ["digits", "coarse, sealed", "100%", "100%", "0%"],
    ]


def test_the_preflight_is_no_attack() -> None:
    model = _looked()
    assert not model.catalogue.is_attack(NAME)
    assert attacks.section(model, Verdicts((), ())) is None


def test_without_it_there_is_no_chapter(model: Model) -> None:
    assert looked.section(model) is None
