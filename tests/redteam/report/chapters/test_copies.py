from extproc.redteam.report.document import Page, Section


def section(page: Page, anchor: str) -> Section:
    return next(each for each in page.sections if each.anchor == anchor)


def test_every_victim_that_was_copied_has_its_part(page: Page) -> None:
    assert [part.title for part in section(page, "copies").parts] == ["digits", "forest", "minilm"]
