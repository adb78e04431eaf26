"""The measures of detection, quick: with texts of a grammar, on seeded callers.

The whole, with real texts, is ``python -m tests.detection``; docs/detection.md has its tables.
"""

import numpy as np
import pytest

from tests.detection import populations
from tests.detection.curves import flagged
from tests.detection.goals import GOALS, unmet
from tests.detection.grammar import grammar
from tests.detection.judged import Judge
from tests.detection.report import BEGIN, END, markdown, pasted
from tests.detection.trial import Found, Sizes, Trial

pytestmark = pytest.mark.slow
SIZES = Sizes(benign=25, setting=25, growing=30, odd=2, evaluations=8, attackers=10, queries=100)


@pytest.fixture(scope="module")
def found() -> Found:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(populations, "LONGEST", 100)
        rng = np.random.default_rng(1)
        corpus = grammar(rng)
        return Trial(corpus, Judge(corpus, rng), SIZES, rng, lambda _: None, tuple(GOALS)).run()


@pytest.mark.parametrize(
    ("attack", "least", "after"),
    [
        ("knockoff, other domain", 0.9, 50),
        ("word salad", 0.9, 50),
        ("Jacobian probing", 0.9, 50),
        ("knockoff, half mixed", 0.8, 75),
        ("in-distribution, uniform", 0.3, 100),
    ],
)
def test_thieves_are_flagged(found: Found, attack: str, least: float, after: int) -> None:
    """Fewer than of the whole, since so few lives make a threshold that is higher."""
    assert flagged(found.firsts[attack, "user"], [after])[0] >= least


def test_benign_callers_are_not(found: Found) -> None:
    """One of them in a hundred, at most, with thresholds of as few."""
    own = [found.alarms[kind, traffic] for kind, (_, traffic) in populations.FOUR.items()]
    assert sum(many for _, many in own) == 4 * SIZES.benign
    assert sum(alarms for alarms, _ in own) <= 1


@pytest.mark.parametrize("kind", ["a monitoring probe", "retry storms after an outage"])
def test_nor_are_odd_ones_who_ask_the_same_again(found: Found, kind: str) -> None:
    assert found.alarms[kind, "user"][0] == 0


def test_who_is_evaluated_is_like_a_thief_unless_he_says_so(found: Found) -> None:
    """The class of evaluations, in turn, lets who asks evenly go on; not who asks other things."""
    assert found.alarms["an evaluation harness", "user"][0] > 0
    assert found.alarms["an evaluation harness", "evaluation"][0] == 0
    assert flagged(found.firsts["in-distribution, uniform", "evaluation"], [100])[0] == 0
    assert flagged(found.firsts["knockoff, other domain", "evaluation"], [50])[0] == 1


def test_so_few_bear_no_claim(found: Found) -> None:
    assert any(line.startswith("benign: ") for line in unmet(found))
    assert all("0.1% is not claimed" in line for line in markdown(found).splitlines()[4:7])


def test_the_report_goes_between_its_markers(found: Found) -> None:
    name = "quick"
    page = f"Before.\n\n{BEGIN.format(name)}\nold\n{END.format(name)}\n\nAfter.\n"
    filled = pasted(page, name, markdown(found))
    assert filled.startswith("Before.\n")
    assert filled.endswith("After.\n")
    assert "\nold\n" not in filled
    assert pasted(filled, name, markdown(found)) == filled
    with pytest.raises(ValueError):
        pasted("no markers", name, "")
