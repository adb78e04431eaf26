from extproc.redteam.report.document import Page


def test_a_page_knows_the_figures_of_its_parts(page: Page) -> None:
    names = [figure.name for figure in page.figures()]
    assert "noticed" in names
    assert len(names) == len(set(names))
