"""A page that stands by itself, and says nothing that is not so."""

import re
from html.parser import HTMLParser

import msgspec
import pytest

from extproc.ownership.judging import LEVEL
from extproc.ownership.page import page
from extproc.ownership.power import needed
from extproc.ownership.report import Report
from tests.ownership.making import Made, copied
from tests.ownership.moving import said, told, world
from tests.ownership.test_report import report

VOID = {"meta", "!doctype"}


class Balanced(HTMLParser):
    """Raises where what is opened is not closed in turn; collects what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def read(found: Report) -> str:
    parser = Balanced()
    parser.feed(page(found).decode())
    assert parser.open == []
    return re.sub(r"\s+", " ", " ".join(parser.said))


@pytest.fixture
def found(made: Made) -> Report:
    made.some(100, 400, cohort="pair")
    return report(made, copied(made.entries), {"clean.jsonl": copied(made.entries, tenant="")})


def test_the_verdict_its_grounds_and_its_limits_stand_on_it(found: Report) -> None:
    shows = read(found)
    for part in (
        "It carries the marks of cohort pair, model digits.",
        "cohort pair, model digits (acme)",
        "100 of 100 (100%)",
        "0 of 400 (0%)",
        "What it does not prove",
        "none: the dates are the accuser's word",
        "clean.jsonl nobody",
        found.suspect.sheet,
        f"found whole, from line 1 up to line {found.log.heads[0]}",
    ):
        assert part in shows


def test_the_same_report_gives_the_same_page_without_script_or_address(found: Report) -> None:
    text = page(found)
    assert text == page(found)
    assert b"<script" not in text
    assert b"src=" not in text
    assert b"href=" not in text
    assert text.isascii()


def test_what_others_named_is_escaped(found: Report) -> None:
    """Planted: a suspect's name that is not escaped would be a script on the page."""
    name = "http://x/<script>alert(1)</script>"
    suspect = msgspec.structs.replace(found.suspect, name=name)
    text = page(msgspec.structs.replace(found, suspect=suspect))
    assert b"<script>" not in text
    assert b"&lt;script&gt;" in text


def test_too_few_marks_are_said_with_how_many_it_takes(made: Made) -> None:
    made.some(10, 40)
    shows = read(report(made, copied(made.entries, tenant="nobody")))
    assert f"0 of 10 (0%), of {needed(LEVEL)} that it takes" in shows


def test_embeddings_are_told_with_their_own_grounds(made: Made) -> None:
    texts = world().texts[:300]
    served, entries = told("acme", texts, world().private(texts))
    for entry in entries:
        made.keep(msgspec.structs.replace(entry, cohort="pair"))
    text = read(report(made, said(texts, served)))
    for part in (
        "It carries the marks of cohort pair, model minilm.",
        "cohort pair, model minilm (acme)",
        "300 of 300",
        "Each move is a coin",
    ):
        assert part in text
    assert "Fisher" not in text


def test_of_labels_nothing_is_said_about_moves(found: Report) -> None:
    assert "Fisher" in read(found)
    assert "Each move is a coin" not in read(found)
