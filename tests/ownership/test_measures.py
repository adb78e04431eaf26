"""Quick versions of what docs/ownership.md measures; the whole is ``python -m tests.ownership``."""

import numpy as np
import pytest

from extproc.redteam.laundering.labels import distilled
from extproc.redteam.surrogates import by_heart
from tests.detection.report import pasted
from tests.ownership.__main__ import GOAL, unmet
from tests.ownership.copies import means
from tests.ownership.report import of_clean, of_copies, of_growth
from tests.ownership.theft import told, victim
from tests.ownership.trial import Clean, Row, clean, row

ASKED = 5000


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    """A forest that learnt all it was told, and what is left of it behind another one."""
    known = victim()
    both = [
        told("thief", known.natural[:ASKED], b"key"),
        told("bystander", known.natural[-ASKED:], b"key"),
    ]
    copy = by_heart.trees(both[0].inputs, both[0].labels, np.random.default_rng(1))
    anew = distilled(copy, means(known, np.random.default_rng(2)))
    return {name: row(name, each, both, known) for name, each in (("as", copy), ("anew", anew))}


@pytest.fixture(scope="module")
def untaught() -> Clean:
    return clean(50, lambda said: None)


def test_a_copy_that_learnt_single_answers_is_known_and_the_bystander_is_not_accused(
    rows: dict[str, Row],
) -> None:
    found = rows["as"]
    assert found.thief.verdict == "carries the marks"
    assert found.thief.corrected <= GOAL
    assert found.bystander.verdict != "carries the marks"
    assert found.bystander.corrected > -10


def test_a_copy_that_was_distilled_elsewhere_carries_nothing(rows: dict[str, Row]) -> None:
    assert rows["anew"].thief.verdict != "carries the marks"
    assert rows["anew"].thief.corrected > -10


def test_clean_models_are_uniform_and_none_is_accused(untaught: Clean) -> None:
    assert untaught.least > -16
    assert untaught.below <= 2
    assert untaught.uniform > 0.001
    assert all(share <= level + 0.1 for level, share in untaught.levels)


def test_it_is_told_in_tables(rows: dict[str, Row]) -> None:
    text = of_copies(ASKED, 1, [*rows.values()])
    assert "| as |" in text
    assert text.count("\n|") == 4
    assert "| 5,000 |" in of_growth(1, [(ASKED, [*rows.values()])])
    assert pasted("<!-- measured: a --><!-- end: a -->", "a", text).count(text) == 1


def test_what_is_missed_is_said(rows: dict[str, Row], untaught: Clean) -> None:
    assert list(unmet([*rows.values()], untaught)) == []
    missed = Row("as stolen", rows["anew"].thief, rows["as"].thief, 1.0)
    assert len(list(unmet([missed], untaught))) == 2
    assert "50 perceptrons" in of_clean(untaught)
