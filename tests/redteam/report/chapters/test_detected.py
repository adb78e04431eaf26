from collections.abc import Sequence
from dataclasses import replace

from extproc.redteam.attack import Family
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.chapters import detected
from extproc.redteam.report.document import Record, Table
from extproc.redteam.report.model import Model, gather
from extproc.redteam.report.verdicts import Verdicts
from extproc.redteam.row import Row
from tests.redteam.report import made_up

ATTACK = replace(made_up.ATTACKS["utility"], name="detection", family=Family.DETECTION, measures=())
NONE = Verdicts((), ())


def _rows(policy: str, seed: int, **values: float) -> list[Row]:
    made = {"attack": "detection", "policy": policy, "seed": seed}
    return [
        made_up.row(
            measure,
            value,
            budget=200 if measure == "cosine" else 0,
            strategy="" if measure in {"customers", "false_alarms"} else "noise",
            note="probe" if measure == "false_alarms" and value else "",
            **made,
        )
        for measure, value in values.items()
    ]


def _model(rows: Sequence[Row]) -> Model:
    return gather(rows, made_up.RUN, Catalogue.of([ATTACK]))


def _tables(model: Model) -> list[list[list[str]]]:
    found = detected.section(model, NONE)
    assert found is not None
    tables = [block for block in found.blocks if isinstance(block, Table)]
    return [[_texts(record) for record in table.records] for table in tables]


def _texts(record: Record) -> list[str]:
    return ["".join(span.text for span in entry.text) for entry in record.entries]


ROWS = [
    *_rows("none", 1, in_full=200, cosine=0.9, customers=12, false_alarms=0),
    *_rows("none", 2, in_full=200, cosine=0.9, customers=12, false_alarms=0),
    *_rows("coarse", 1, in_full=4, before_lowered=4, before_refused=6, cosine=0.1),
    *_rows("coarse", 2, in_full=5, before_lowered=5, cosine=0.1),
    *_rows("coarse", 1, customers=12, false_alarms=1),
    *_rows("coarse", 2, customers=12, false_alarms=0),
]


def test_each_thief_is_told_under_each_policy_with_what_its_copy_is_worth() -> None:
    thieves, *_ = _tables(_model(ROWS))
    assert thieves[0] == [
        "digits",
        "noise",
        "none",
        "never",
        "never",
        "200",
        "0.900 ± 0 (2\N{NO-BREAK SPACE}seeds)",
    ]
    assert thieves[1][2:6] == ["coarse", "4.50", "6 (1 of 2 seeds)", "4.50"]


def test_customers_of_all_seeds_are_one_sample_and_who_was_taken_is_named() -> None:
    _, customers, *_ = _tables(_model(ROWS))
    # Clopper and Pearson, one-sided: scipy.stats.beta.ppf(0.95, 1, 24), and of 2 and 23.
    assert customers == [
        ["digits", "none", "24", "0", "11.7%", "–"],
        ["digits", "coarse", "24", "1", "18.3%", "probe"],
    ]


def test_what_it_cites_has_a_place_and_where_nothing_was_measured_there_is_none() -> None:
    found = detected.section(_model(ROWS), NONE)
    assert found is not None
    records = [r for block in found.blocks if isinstance(block, Table) for r in block.records]
    anchors = {entry.anchor for record in records for entry in record.entries}
    assert "detection-digits-coarse-in_full-0" in anchors
    assert detected.section(gather([], made_up.RUN, Catalogue()), NONE) is None


def test_it_is_no_attack_that_other_chapters_compare() -> None:
    model = _model(ROWS)
    assert not model.catalogue.is_attack("detection")
