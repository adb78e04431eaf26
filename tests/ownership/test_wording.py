"""What a report says, in words."""

import msgspec
import pytest

from extproc.ownership import wording
from extproc.ownership.judging import Counts
from tests.ownership.making import Made, copied
from tests.ownership.moving import said, told, world
from tests.ownership.test_report import report


@pytest.mark.parametrize(
    ("bits", "shown"),
    [(0.0, "1.00"), (-0.5, "0.71"), (-10.0, "2^-10.0 (0.001)"), (-5000.0, "2^-5000.0")],
)
def test_a_chance_is_in_bits_and_in_decimals(bits: float, shown: str) -> None:
    assert wording.chance(bits) == shown


def test_shares_are_of_all_that_count() -> None:
    assert wording.agreeing(Counts(20, 10, 5, 0, 0)) == "5 of 20 (25%)"
    assert wording.agreeing(Counts(0, 0, 0, 0, 0)) == "0 of 0 (0%)"


@pytest.mark.parametrize(
    ("marks", "tenant", "shown"),
    [
        (100, "acme", "It carries the marks of tenant acme, model digits. By chance"),
        (100, "nobody", "No evidence"),
        (10, "nobody", "There are not enough marks"),
    ],
)
def test_the_verdict_is_a_sentence(made: Made, marks: int, tenant: str, shown: str) -> None:
    made.some(marks, 4 * marks)
    assert wording.verdict(report(made, copied(made.entries, tenant=tenant))).startswith(shown)


def test_of_several_the_likeliest_chance_is_told(made: Made) -> None:
    """Planted: of the first it would be said of all, whose own may be greater by far."""
    made.some(100, 400)
    made.some(20, 80, start=1000, tenant="other")
    found = report(made, copied(made.entries))
    assert len(found.found) == 2
    said = wording.verdict(found)
    assert wording.chance(found.found[1].corrected) in said
    assert wording.chance(found.found[0].corrected) not in said


def test_a_verdict_that_clean_models_forbid_is_none(made: Made) -> None:
    made.some(100, 400)
    copy = copied(made.entries)
    assert wording.verdict(report(made, copy, {"clean": copy})).startswith("No verdict")


def test_what_counts_against_the_accusation_is_said(made: Made) -> None:
    made.some(10, 40)
    every = copied(made.entries)
    assert wording.silence(report(made, every)) == ""
    made.sealed.pop()
    made.sealed.pop()
    some = dict([*every.items()][:-5])
    assert wording.silence(report(made, some)) == (
        "2 entries are committed to and not in the vault, 3 questions were not answered: each"
        " counts against the accusation."
    )


def test_what_counts_against_it_of_embeddings_is_said(made: Made) -> None:
    texts = world().texts[:20]
    served, entries = told("acme", texts, world().private(texts))
    for entry in entries:
        made.keep(entry)
    made.sealed.pop()
    found = report(made, said(texts[:10], served[:10]))
    assert wording.silence(found).startswith(
        "1 entries are committed to and not in the vault, 9 questions were not answered"
    )
    [each] = found.embeddings
    assert wording.answered(each) == "10 of 20"
    whole = msgspec.structs.replace(each, kept=0.25, low=-0.5, high=1.0)
    assert wording.kept(whole) == "+25.0% (-50.0% to +100.0%)"
