import pytest
from markdown_it import MarkdownIt

from extproc.redteam.report.as_markdown import escaped, render
from extproc.redteam.report.document import Page


@pytest.mark.parametrize(
    "text",
    ["# no", "- no", "1. no", "*a*", "[a](b)", "<b>", "a|b", "`a`", "| a |", "a_b_c", "&lt;"],
)
def test_escaped_text_is_read_as_it_was_written(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(escaped(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == text


def test_an_address_makes_no_link() -> None:
    assert "://" not in escaped("https://evil.example")


def test_plots_stand_beside_the_page_or_are_left_out(page: Page) -> None:
    assert "](plots/noticed.svg)" in render(page, "plots")
    assert ".svg" not in render(page)
