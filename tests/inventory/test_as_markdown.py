"""Markdown, as a reader of CommonMark with tables takes it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from extproc.inventory.as_markdown import code, escaped, render
from extproc.inventory.wording import plain
from tests.inventory.hostile import NAMES, SECRETS, hostile
from tests.inventory.policies import partner, policy, surveyed

READER = MarkdownIt("commonmark", {"html": True}).enable("table")


def inline(text: str) -> list[Token]:
    return [
        child for token in READER.parse(text) for child in (token.children or []) if child.content
    ]


def cells(text: str) -> list[list[Token]]:
    """What stands in the cells of the only row of a table's body."""
    found = [token.children or [] for token in READER.parse(f"| a | b |\n|---|---|\n{text}\n")]
    return [children for children in found if children][2:]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_table_is_code_and_nothing_else(name: str) -> None:
    first, second = cells(f"| {code(name)} | x |")
    assert [token.content for token in second] == ["x"]
    if r"\|" in name:
        assert "".join(token.content for token in first) == f"<code>{plain(name)}</code>"
        assert {token.type for token in first} <= {"html_inline", "text", "text_special"}
    else:
        assert [(token.type, token.content) for token in first] == [("code_inline", plain(name))]


@given(st.text(min_size=1).filter(lambda text: text.strip(" ") == text))
def test_whatever_a_name_holds_it_stays_in_its_cell(name: str) -> None:
    _, second = cells(f"| {code(name)} | x |")
    assert [token.content for token in second] == ["x"]
    _, third = cells(f"| {escaped(name)} | y |")
    assert [token.content for token in third] == ["y"]


@given(st.text(min_size=1).filter(lambda text: text.strip(" ") == text))
def test_escaped_text_is_text(text: str) -> None:
    [first, _] = cells(f"| {escaped(text)} | y |")
    assert {token.type for token in first} <= {"text", "text_special"}
    assert "".join(token.content for token in first) == plain(text)


def test_a_report_has_a_summary_and_a_part_for_each_surface(tmp_path: Path) -> None:
    found = surveyed(tmp_path, policy())
    text = render(found)
    assert text.startswith("# Exposure of `policy.yaml`: moderate\n")
    assert text.count("\n## ") == 1 + len(found.surfaces)
    assert text.count("| rating | because | remedy |") == len(found.surfaces)
    assert "Nothing was found." in text


def test_what_is_bad_stands_out(tmp_path: Path) -> None:
    text = render(surveyed(tmp_path, partner(limits=[])))
    assert "| **high** | no limit:" in text
    assert "| `limits: [{name: daily," in text


def test_ill_meant_names_break_no_table(tmp_path: Path) -> None:
    text = render(hostile(tmp_path))
    opened = [token for token in READER.parse(text) if token.type == "table_open"]
    mild = render(surveyed(tmp_path, policy()))
    assert len(opened) == len([t for t in READER.parse(mild) if t.type == "table_open"])
    kinds = {token.type for token in inline(text)}
    assert "link_open" not in kinds
    assert "image" not in kinds
    tags = [token.content for token in inline(text) if token.type == "html_inline"]
    assert {*tags} <= {"<code>", "</code>"}
    assert not any(secret in text for secret in SECRETS)
