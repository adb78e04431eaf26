from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.chapters import prices
from extproc.redteam.report.document import Page, Section, Table
from extproc.redteam.report.model import gather
from tests.redteam.report import made_up


def section(page: Page, anchor: str) -> Section:
    return next(each for each in page.sections if each.anchor == anchor)


def test_costs_are_by_agreement_and_by_cosine(page: Page) -> None:
    assert len(section(page, "prices").parts) == 3


def test_a_level_that_no_copy_got_to_under_any_policy_is_one_line() -> None:
    rows = [
        made_up.row(value=0.5 if victim == "forest" else 0.99, victim=victim, policy=policy)
        for victim in ("digits", "forest")
        for policy in ("none", "coarse")
    ]
    found = prices.section(gather(rows, made_up.RUN, Catalogue.of(made_up.ATTACKS.values())))
    assert found is not None
    table = found.parts[0].blocks[-1]
    assert isinstance(table, Table)
    told = [[entry.text[0].text for entry in record.entries[:4]] for record in table.records]
    assert [line for line in told if line[0] == "forest"] == [
        ["forest", level, "never, under any", "> 100"] for level in ("90%", "97%", "99%")
    ]
    assert len([line for line in told if line[0] == "digits"]) == 6
