"""What stands at the head of a report."""

from pathlib import Path

from extproc.redteam.aim import Asked, aim
from extproc.redteam.heading import PRICES, heading
from extproc.redteam.report.header import Planned, Prices
from extproc.redteam.run import Result
from tests.redteam.target.test_target import _target


def test_a_run_is_told_so_that_it_can_be_run_again(tmp_path: Path) -> None:
    aimed = aim(
        Asked(
            directory=tmp_path,
            quick=True,
            attacks=("equation-solving",),
            victims=("digits",),
            policies=("coarse",),
            seeds=(3, 1),
            budget=130,
        )
    )
    run = heading(aimed, Result([], {"a trial": "its reason"}), ["redteam", "a b"], whole=False)
    assert run.command == "extproc redteam 'a b'"
    assert run.seeds == (1, 3)
    assert run.policies == ("none", "coarse")
    assert run.plan == tuple(
        Planned("equation-solving", "digits", policy, 100) for policy in ("none", "coarse")
    )
    assert run.victims.keys() == {"digits"}
    assert run.broken == ("a trial: its reason",)
    assert run.prices == PRICES


def test_prices_of_a_target_are_those_of_its_file(tmp_path: Path) -> None:
    _target(tmp_path, prices={"per_thousand_queries": 3, "per_key": 2, "currency": "EUR"})
    aimed = aim(Asked(directory=tmp_path, target=tmp_path / "target.yaml"))
    prices = heading(aimed, Result([], {}), [], whole=False).prices
    assert prices == Prices(per_thousand_queries=3, per_key=2, currency="EUR")
    assert prices.cost(1_000, 1) == 5
