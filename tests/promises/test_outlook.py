"""What is told of a ledger, held against the arithmetic that it is made of."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extproc.accounts.messages import Holder
from extproc.accounts.rows import Row, row
from extproc.limits import Calendar, Limit, Periods, Standing
from extproc.mutators import NoisyMax
from extproc.privacy import NANO, Cost, capacity, epsilon_of
from extproc.promises.outlook import lines, prices, since
from tests.privacy.ledger import BUDGET, CHECKED, GAUSSIAN, GUMBEL, table, text

EACH = NoisyMax(noise="gaussian", scale=40.0).cost().gdp
ROOM = capacity(2.0, 1e-5)


def counted(spent: int, delta: float = 1e-5, name: str = "digits", subject: str = "") -> Row:
    most = ROOM if delta else 2 * NANO
    rule = Calendar(f"{name}/lifetime", most, Periods("lifetime"))
    unit = "privacy" if delta else "epsilon"
    limit = Limit(rule, unit, budget=True, promise=(2.0, delta))  # type: ignore[arg-type]
    return row(limit, Standing(rule.name, subject, spent, most - spent, 0), 0)


def holder(*rows: Row, whom: str = "acme") -> Holder:
    return Holder(whom, frozen=False, counters=rows)


def test_what_was_spent_is_an_epsilon_at_the_delta_that_is_promised(tmp_path: Path) -> None:
    known = prices(table(tmp_path))
    [line] = lines([holder(counted(100 * EACH))], known)
    assert line.spent == epsilon_of(Cost(100 * EACH), 1e-5)
    assert line.reference == pytest.approx(line.spent, rel=0.01)
    assert line.answers == ROOM // EACH - 100
    assert line.used == pytest.approx(100 * EACH / ROOM)
    assert (line.days, line.changed) == (None, None)


def test_what_is_left_lasts_at_the_pace_since_it_began(tmp_path: Path) -> None:
    began, now = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 11, tzinfo=UTC)
    elapsed = since(began, now)
    [line] = lines([holder(counted(ROOM // 5))], prices(table(tmp_path)), elapsed=elapsed)
    assert line.days == pytest.approx(40.0, rel=1e-6)
    [unused] = lines([holder(counted(0))], prices(table(tmp_path)), elapsed=elapsed)
    assert (unused.days, unused.spent, unused.reference) == (None, 0.0, 0.0)
    assert since(now, began) == 1.0


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        (text(mechanism=GAUSSIAN.replace("40", "80")), (ROOM - 100 * EACH) // (EACH // 4)),
        (text(BUDGET.replace("2,", "3,")), (capacity(3.0, 1e-5) - 100 * EACH) // EACH),
        (text(mechanism=CHECKED), (ROOM - 100 * EACH) // (EACH + 2_500_000)),
        (text(BUDGET.replace("epsilon: 2,", "epsilon: 0.5,")), 0),
        (text(BUDGET.replace("1e-5", "0"), GUMBEL), 40),  # counted anew, in another unit
        (text(BUDGET.replace("digits", "others")), None),
    ],
)
def test_what_another_policy_would_leave(tmp_path: Path, policy: str, left: int | None) -> None:
    known, changed = prices(table(tmp_path)), prices(table(tmp_path, policy))
    [line] = lines([holder(counted(100 * EACH))], known, changed)
    assert line.changed == left


def test_budgets_of_one_name_are_each_its_policy_s(tmp_path: Path) -> None:
    """What a tenant has left is not told by the promise that another has."""
    larger = "  large: {models: ['*'], fidelity: rough, budgets: [BUDGET]}\ntenants:"
    policy = text().replace("tenants:", larger.replace("BUDGET", BUDGET.replace("2,", "8,")))
    policy = policy.replace("gamma: {policy: own", "gamma: {policy: large")
    known = prices(table(tmp_path, policy))
    spent = counted(100 * EACH)
    left = {
        line.whom: (line.answers, line.changed)
        for line in lines([holder(spent), holder(spent, whom="gamma")], known, known)
    }
    rough = NoisyMax(noise="gaussian", scale=400.0).cost().gdp
    assert left["acme"] == ((ROOM - 100 * EACH) // EACH,) * 2
    assert left["gamma"][1] == (capacity(8.0, 1e-5) - 100 * EACH) // rough


def test_where_delta_is_0_epsilons_are_told_as_they_add(tmp_path: Path) -> None:
    known = prices(table(tmp_path, text(BUDGET.replace("1e-5", "0"), GUMBEL)))
    [line] = lines([holder(counted(NANO // 2, 0.0))], known)
    assert (line.spent, line.answers, line.reference) == (0.5, 30, None)


def test_the_most_used_is_first_and_other_budgets_are_left_out(tmp_path: Path) -> None:
    other = row(
        Limit(Calendar("daily/day", 50, Periods("day")), "queries", budget=True),
        Standing("daily/day", "", 49, 1, 0),
        0,
    )
    told = lines(
        [holder(counted(EACH, subject="a"), other), holder(counted(2 * EACH), whom="beta")],
        prices(table(tmp_path)),
    )
    assert [(line.whom, line.subject) for line in told] == [("beta", ""), ("acme", "a")]


def test_what_is_overspent_is_said_so(tmp_path: Path) -> None:
    """As when the promise was made smaller afterwards."""
    [line] = lines([holder(counted(300 * ROOM))], prices(table(tmp_path)), elapsed=10.0)
    assert (line.spent, line.answers, line.days) == (math.inf, 0, 0.0)
