"""What is called weaker is, and what is called as strong has no lower number."""

import pytest

from extproc.redteam.attack import Copy
from extproc.redteam.measures.interval import of_mean
from extproc.redteam.surrogates.choice import Constant
from tests.redteam.comparison import best, best_of, table, verdict


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ([0.9, 0.9, 0.9], 0.9, "at least as strong"),
        ([0.90, 0.91, 0.92], 0.95, "weaker"),
        ([0.80, 0.90, 0.97], 0.95, "lower, within the interval"),
    ],
)
def test_the_interval_says_whether_a_lower_number_is_weaker(
    ours: list[float], theirs: float, said: str
) -> None:
    assert verdict(of_mean(ours), theirs) == said


def test_the_best_counts_by_its_mean_with_its_name() -> None:
    found = best({"one": [0.5, 0.9, 0.5], "other": [0.7, 0.7, 0.7]})
    assert found.name == "other"
    assert found.agreement.value == pytest.approx(0.7)


def test_of_copies_at_a_budget_the_best_counts_and_none_is_worth_nothing() -> None:
    labels = Constant(0)
    made = [Copy(10, labels, "a"), Copy(10, labels, "b"), Copy(30, labels, "c")]
    worths = {"a": 0.2, "b": 0.4, "c": 0.9}
    assert best_of(made, 10, lambda copy: worths[copy.strategy]) == 0.4
    assert best_of(made, 20, lambda copy: worths[copy.strategy]) == 0.0


def test_a_table_has_a_line_for_each_row() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
