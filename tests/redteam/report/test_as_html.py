from extproc.redteam.report.as_html import render
from extproc.redteam.report.document import Page, Paragraph, Section, line


def test_text_is_escaped_and_the_page_forbids_what_is_outside() -> None:
    section = Section("a", "<b>", (Paragraph(line("<script>")),))
    text = render(Page("&", (), (section,)))
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in text
