"""What a run measured, as a table."""

from io import StringIO

from rich.console import Console

from extproc.redteam.row import Row
from extproc.redteam.summary import summary


def _row(policy: str, seed: int, value: float, budget: int, strategy: str = "") -> Row:
    return Row(
        attack="a",
        victim="v",
        policy=policy,
        seed=seed,
        measure="m",
        value=value,
        budget=budget,
        strategy=strategy,
    )


def test_it_is_the_mean_over_seeds_of_the_best_way_at_the_largest_budget() -> None:
    rows = [
        _row("none", 1, 1.0, 100),
        _row("none", 1, 0.2, 300, "hard"),
        _row("none", 1, 0.4, 300, "soft"),
        _row("none", 2, 0.8, 300, "hard"),
        _row("full", 1, 0.125, 100),
    ]
    text = StringIO()
    Console(file=text, width=100).print(summary(rows))
    cells = [cell.strip() for cell in text.getvalue().splitlines()[3].split("│")]
    assert cells == ["", "a", "v", "m", "0.600", "0.125", ""]
