from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.chapters import noticed
from extproc.redteam.report.document import Page, Section, Table
from extproc.redteam.report.model import gather
from tests.redteam.report import made_up


def section(page: Page, anchor: str) -> Section:
    return next(each for each in page.sections if each.anchor == anchor)


def test_what_no_policy_acted_on_is_not_there(page: Page) -> None:
    table = section(page, "noticed").blocks[2]
    assert isinstance(table, Table)
    assert len(table.records) == 8 * 6  # eight attacks on victims, six policies


def test_what_is_refused_without_a_defence_too_is_no_sign_of_notice() -> None:
    rows = [
        made_up.row(measure, value, policy=policy, budget=0)
        for policy in ("none", "coarse")
        for measure, value in (("refused.share", 0.5), ("served_before_refusal", 0.0))
    ]
    found = noticed.section(gather(rows, made_up.RUN, Catalogue.of(made_up.ATTACKS.values())))
    assert found is not None
    assert len(found.blocks) == 1
    assert noticed.section(gather(rows[:2], made_up.RUN, Catalogue())) is None
