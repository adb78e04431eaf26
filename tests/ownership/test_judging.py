"""Whom it falls on: those whose marks a copy carries, and nobody else, however many there are."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from scipy import stats

from extproc.marks.statistics import two_sample
from extproc.ownership import judging
from extproc.ownership.answers import Answers
from extproc.ownership.evidence import Cell, Holder
from extproc.ownership.judging import LEVEL, Judged, carriers
from extproc.ownership.power import needed
from extproc.ownership.questions import about
from tests.ownership.making import Made, copied, question

ACME, OTHER = Holder("digits", "", "acme"), Holder("digits", "", "other")
CLEAN = 1000


def of(made: Made, who: Holder) -> list[Cell]:
    return [
        Cell(f"{at:064x}", entry.stamp, entry, about(msgspec.json.decode(bytes(entry.input))))
        for at, entry in enumerate(made.entries)
        if entry.tenant == who.tenant
    ]


@pytest.fixture
def cells(made: Made) -> dict[Holder, list[Cell]]:
    made.some(100, 400)
    made.some(100, 400, start=1000, tenant="other")
    return {who: of(made, who) for who in (ACME, OTHER)}


def judged(
    cells: dict[Holder, list[Cell]], answers: Answers, clean: Sequence[Answers] = ()
) -> list[Judged]:
    found = judging.judged(cells, {who: [who.tenant] for who in cells}, answers, clean)
    return [*found.labels]


def test_a_copy_carries_the_marks_of_whom_it_was_told_by(
    made: Made, cells: dict[Holder, list[Cell]]
) -> None:
    acme, other = judged(cells, copied(made.entries, tenant="acme"))
    assert (acme.tenant, acme.verdict) == ("acme", "carries the marks")
    assert acme.bits == two_sample((100, 100), (0, 400)).at_least < -350
    assert acme.corrected == acme.bits + 1
    assert (acme.effect, acme.controls.true, acme.marks.true) == (1.0, 400, 0)
    assert acme.low > 0.9
    assert (other.tenant, other.verdict, other.bits) == ("other", "no evidence", 0.0)


def test_both_are_found_where_a_copy_was_told_by_both(
    made: Made, cells: dict[Holder, list[Cell]]
) -> None:
    assert {each.verdict for each in judged(cells, copied(made.entries))} == {"carries the marks"}


def test_too_few_marks_say_nothing_unless_they_say_it_clearly(made: Made) -> None:
    made.some(20, 80)
    cells = {ACME: of(made, ACME)}
    [none] = judged(cells, copied(made.entries, tenant="nobody"))
    assert (none.verdict, none.needed) == ("not enough marks to say", needed(LEVEL))
    [found] = judged(cells, copied(made.entries))
    assert found.verdict == "carries the marks"


def test_what_is_missing_or_unanswered_counts_against_the_accusation(
    made: Made, cells: dict[Holder, list[Cell]]
) -> None:
    """Planted: left out instead, an owner who drops what does not agree accuses anybody: here a
    model that is told by chance to say the next class of a tenth.
    """
    generator = np.random.default_rng(1)
    said = {
        question(entry): (str(entry.other if generator.random() < 0.1 else entry.truth),)
        for entry in made.entries
    }
    agreeing = {
        question(entry) for entry in made.entries if str(entry.other) in said[question(entry)]
    }
    dropped, kept = [], set()
    for cell in cells[ACME]:
        assert cell.question is not None
        if (cell.stamp == "mark") == (cell.question.question in agreeing):
            dropped.append(cell)
            kept.add(cell.question.question)
        else:
            dropped.append(Cell(cell.commitment, cell.stamp, None, None))
    [by_vault] = judged({ACME: dropped}, said)
    assert by_vault.verdict != "carries the marks"
    assert by_vault.marks.missing + by_vault.controls.missing > 100
    [by_answers] = judged({ACME: cells[ACME]}, {q: s for q, s in said.items() if q in kept})
    assert by_answers.verdict != "carries the marks"
    assert by_answers.corrected == by_vault.corrected > -1
    assert by_answers.marks.answered < 100


def test_where_clean_models_carry_them_too_nothing_is_said(
    made: Made, cells: dict[Holder, list[Cell]]
) -> None:
    copy = copied(made.entries, tenant="acme")
    acme, _ = judged(cells, copy, [copy])
    assert acme.verdict == "withheld"
    acme, _ = judged(cells, copy, [copied(made.entries, tenant="nobody")])
    assert acme.verdict == "carries the marks"
    assert carriers(cells, copy) == [ACME]


def test_the_level_is_held_for_all_together(made: Made) -> None:
    """A p-value that is just below the level alone is not, for two who are looked at.

    Planted: without Holm's correction this one would be accused.
    """
    made.some(20, 80)
    made.some(20, 80, start=1000, tenant="other")
    cells = {who: of(made, who) for who in (ACME, OTHER)}
    told = {question(entry): (str(entry.truth),) for entry in made.entries}
    marks = [cell.entry for cell in cells[ACME] if cell.stamp == "mark" and cell.entry]
    for entry in marks[: fewest_below(LEVEL)]:
        told[question(entry)] = (str(entry.other),)
    [alone] = judged({ACME: cells[ACME]}, told)
    acme, _ = judged(cells, told)
    assert alone.bits == acme.bits <= LEVEL
    assert (alone.verdict, acme.corrected) == ("carries the marks", alone.bits + 1)
    assert (acme.verdict == "carries the marks") == (alone.bits + 1 <= LEVEL)
    many = {Holder("digits", "", f"t{at}"): cells[OTHER] for at in range(256)}
    first = judged({**cells, **many}, told)[0]
    assert first.corrected == pytest.approx(alone.bits + math.log2(258))
    assert first.verdict != "carries the marks"


def fewest_below(level: float) -> int:
    return next(n for n in range(20) if two_sample((n, 20), (0, 80)).at_least <= level)


def test_of_a_thousand_clean_models_none_is_accused_nor_any_below_a_thousandth(made: Made) -> None:
    """Each says the next class of its own share of inputs, wherever they are; which are marks was
    drawn before.  What is exactly as many counts in full, so that p-values below a level are rarer
    than the level says; the mid-p is nearly uniform.
    """
    made.some(40, 160)
    cells, generator = of(made, ACME), np.random.default_rng(5)
    told = [(question(entry), (str(entry.truth),), (str(entry.other),)) for entry in made.entries]
    exact, mid = [], []
    for _ in range(CLEAN):
        share = generator.beta(1, 6)
        wrong = generator.random(len(told)) < share
        said = {name: names[at] for (name, *names), at in zip(told, wrong.astype(int), strict=True)}
        tail = judging._Result.of(cells, said).tail
        exact.append(tail.at_least)
        mid.append(tail.mid)
    assert min(exact) > LEVEL
    below = sum(bits <= math.log2(1e-3) for bits in exact)
    assert below <= stats.binom.ppf(0.999, CLEAN, 1e-3)
    assert stats.kstest(mid, "uniform").statistic < 0.08
