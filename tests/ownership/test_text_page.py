"""The page of a report of texts."""

import re

import msgspec
import pytest

from extproc.ownership.text_page import page
from extproc.ownership.text_report import TextReport
from tests.ownership.making import Made
from tests.ownership.test_page import Balanced
from tests.ownership.test_text_report import report
from tests.ownership.writing import canary, listed, written


def read(found: TextReport) -> str:
    parser = Balanced()
    parser.feed(page(found).decode())
    assert parser.open == []
    return re.sub(r"\s+", " ", " ".join(parser.said))


@pytest.fixture
def found(made: Made) -> TextReport:
    key = listed(made, cohort="pair")
    canary(made)
    return report(made, written(key), written(None))


def test_the_verdict_its_grounds_and_its_limits_stand_on_it(found: TextReport) -> None:
    said = read(found)
    for part in (
        "They carry the green list of cohort pair, model chat.",
        "green list of cohort pair, model chat (acme)",
        "0 of 1 references",
        "What it does not prove",
        "none: the dates are the accuser's word",
        "clean.jsonl nothing",
        "said.jsonl: 10, of",
        found.suspects[0].digest,
        found.judged[0].commitments.first[:16],
        found.log.heads[0],
    ):
        assert part in said


def test_what_others_named_is_escaped(found: TextReport) -> None:
    """Planted: a file's name that is not escaped would be a script on the page."""
    name = "<script>alert(1)</script>"
    [suspect] = found.suspects
    named = msgspec.structs.replace(suspect, name=name)
    text = page(msgspec.structs.replace(found, suspects=[named]))
    assert b"<script>" not in text
    assert b"&lt;script&gt;" in text
    assert text.isascii()
