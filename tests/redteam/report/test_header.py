from extproc.redteam.report.header import Prices
from tests.redteam.report.made_up import RUN


def test_a_budget_within_the_plan_was_planned() -> None:
    assert RUN.planned("knockoff", "digits", "none", 10_000)
    assert RUN.planned("", "digits", "none", 0)
    assert not RUN.planned("knockoff", "digits", "none", 10_001)
    assert not RUN.planned("knockoff", "minilm", "none", 100)


def test_money_is_of_answers_and_keys() -> None:
    assert Prices(per_thousand_queries=2, per_key=3).cost(500, 2) == 7
    assert not Prices().known
