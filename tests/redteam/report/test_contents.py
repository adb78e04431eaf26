from extproc.redteam.report.document import Page


def test_the_page_opens_with_what_came_out(page: Page) -> None:
    assert "of 5 claims held." in page.lead[1][0].text
