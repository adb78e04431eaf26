from extproc.redteam.report.document import Page, Section, Table


def section(page: Page, anchor: str) -> Section:
    return next(each for each in page.sections if each.anchor == anchor)


def test_what_is_not_held_comes_first(page: Page) -> None:
    table = page.sections[0].blocks[1]
    assert isinstance(table, Table)
    assert table.records[0].anchor == "claim-wrong"
