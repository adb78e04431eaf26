"""What a report says, in words."""

import pytest

from extproc.ownership import wording
from extproc.ownership.judging import Counts
from tests.ownership.making import Made, copied
from tests.ownership.test_report import report


@pytest.mark.parametrize(
    ("bits", "said"),
    [(0.0, "1.00"), (-0.5, "0.71"), (-10.0, "2^-10.0 (0.001)"), (-5000.0, "2^-5000.0")],
)
def test_a_chance_is_in_bits_and_in_decimals(bits: float, said: str) -> None:
    assert wording.chance(bits) == said


def test_shares_are_of_all_that_count() -> None:
    assert wording.agreeing(Counts(20, 10, 5, 0, 0)) == "5 of 20 (25%)"
    assert wording.agreeing(Counts(0, 0, 0, 0, 0)) == "0 of 0 (0%)"


@pytest.mark.parametrize(
    ("marks", "tenant", "said"),
    [
        (100, "acme", "It carries the marks of tenant acme, model digits. By chance"),
        (100, "nobody", "No evidence"),
        (10, "nobody", "There are not enough marks"),
    ],
)
def test_the_verdict_is_a_sentence(made: Made, marks: int, tenant: str, said: str) -> None:
    made.some(marks, 4 * marks)
    assert wording.verdict(report(made, copied(made.entries, tenant=tenant))).startswith(said)


def test_a_verdict_that_clean_models_forbid_is_none(made: Made) -> None:
    made.some(100, 400)
    copy = copied(made.entries)
    assert wording.verdict(report(made, copy, {"clean": copy})).startswith("No verdict")


def test_what_counts_against_the_accusation_is_said(made: Made) -> None:
    made.some(10, 40)
    said = copied(made.entries)
    assert wording.silence(report(made, said)) == ""
    made.sealed.pop()
    made.sealed.pop()
    some = dict([*said.items()][:-5])
    assert wording.silence(report(made, some)) == (
        "2 entries are committed to and not in the vault, 3 questions were not answered: each"
        " counts against the accusation."
    )
