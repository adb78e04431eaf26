from extproc.redteam.report.document import Page, Section


def section(page: Page, anchor: str) -> Section:
    return next(each for each in page.sections if each.anchor == anchor)


def test_the_command_is_told(page: Page) -> None:
    assert section(page, "about").title == "How this was measured"
