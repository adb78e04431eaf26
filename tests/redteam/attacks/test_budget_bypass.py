"""A leak of any kind in a budget is found, and none where there is none."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from extproc.redteam.attacks.budget_bypass import ATTACK, GRANTED
from extproc.redteam.row import Row
from tests.redteam.faulty import INFER, answer, bearer, refusal, rows_asked, serving, sure, tried

pytestmark = pytest.mark.slow

KEYS = [f"k{at}" for at in range(ATTACK.keys)]

Cost = Callable[[web.BaseRequest, int], int]


@dataclass
class _Gateway:
    """Budgets by key; ``cost`` is what a request about so many inputs is held to cost."""

    cost: Cost = lambda _, count: count
    late: bool = False
    """Whether it charges after it has looked, and others are served in between."""
    spent: Counter[str] = field(default_factory=Counter)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        key = bearer(request)
        if not request.path.endswith(INFER) or request.method != "POST" or key not in KEYS:
            return refusal(404)
        early = self.spent[key]
        try:
            inputs = await rows_asked(request)
        except ValueError:
            return refusal(400)
        for _ in range(200 * self.late):
            await asyncio.sleep(0)
        cost = self.cost(request, len(inputs))
        if (early if self.late else self.spent[key]) + cost > GRANTED:
            return refusal(429)
        self.spent[key] += cost
        return answer(sure(inputs))


async def _found(gateway: _Gateway) -> dict[str, Row]:
    async with serving(gateway.handle) as url:
        return await tried(ATTACK, url, KEYS)


def _over(rows: dict[str, Row]) -> set[str]:
    return {name for name, row in rows.items() if name.startswith("over.") and row.value > 0}


async def test_a_budget_that_holds_is_not_passed() -> None:
    rows = await _found(_Gateway())
    assert _over(rows) == set()
    assert rows["served_over_budget"].value == 0
    assert rows["served_over_budget"].note == ""


async def test_without_a_budget_everything_is_over_it() -> None:
    rows = await _found(_Gateway(cost=lambda _, __: 0))
    assert {"over.plain", "over.trick", "over.retry", "over.parallel", "over.batch"} <= _over(rows)
    assert rows["over.plain"].value == 2_000


async def test_a_batch_that_counts_as_one_is_found() -> None:
    rows = await _found(_Gateway(cost=lambda _, __: 100))
    assert "over.batch" in _over(rows)
    assert "over.plain" not in _over(rows)


async def test_another_way_to_write_the_path_that_is_free_is_found() -> None:
    rows = await _found(_Gateway(cost=lambda r, count: count if r.path == INFER else 0))
    assert _over(rows) == {"over.alias", "over.trick"}
    assert "leading slash twice" in rows["served_over_budget"].note


async def test_a_header_field_that_makes_it_free_is_found() -> None:
    rows = await _found(
        _Gateway(cost=lambda r, count: 0 if "x-original-url" in r.headers else count)
    )
    assert _over(rows) == {"over.header", "over.trick"}
    assert rows["served_over_budget"].note == "x-original-url"


async def test_a_trick_that_counts_for_less_than_it_holds_is_found() -> None:
    rows = await _found(
        _Gateway(cost=lambda r, count: 1 if "transfer-encoding" in r.headers else count)
    )
    assert "over.trick" in _over(rows)


async def test_a_look_long_before_the_charge_is_passed_by_asking_at_once() -> None:
    rows = await _found(_Gateway(late=True))
    assert "over.parallel" in _over(rows)
