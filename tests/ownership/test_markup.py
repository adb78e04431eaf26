"""What pages are made of."""

from extproc.ownership import markup
from tests.ownership.test_page import Balanced


def test_a_page_stands_by_itself() -> None:
    text = markup.whole("<b>", [markup.table(("a",), [["<code>1</code>"]]), markup.items(["&"])])
    parser = Balanced()
    parser.feed(text.decode())
    assert parser.open == []
    assert b"<title>&lt;b&gt;</title>" in text
    assert b"<li>&amp;</li>" in text
    assert b"default-src 'none'" in text


def test_facts_are_escaped_and_cells_are_html_already() -> None:
    assert "<td>&lt;i&gt;</td>" in markup.facts([("name", "<i>")])
    assert "<td><i>x</i></td>" in markup.table(("name",), [["<i>x</i>"]])
