"""Budgets per customer are multiplied by customers, and those of a cohort are not."""

from collections import Counter
from collections.abc import Callable

import pytest
from aiohttp import web

from extproc.redteam.attack import Attack
from extproc.redteam.attacks.sybil import SYBIL_LINKED, SYBIL_UNLINKED
from extproc.redteam.row import Row
from tests.redteam.faulty import answer, bearer, refusal, rows_asked, serving, sure, tried

pytestmark = pytest.mark.slow


async def _under(attack: Attack, whose: Callable[[str], str]) -> dict[str, Row]:
    """A thousand in detail and four thousand labels, for whoever a key belongs to."""
    spent: Counter[str] = Counter()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        inputs, who = await rows_asked(request), whose(bearer(request))
        if spent[who] + len(inputs) > 5_000:
            return refusal()
        spent[who] += len(inputs)
        return answer(sure(inputs) if spent[who] <= 1_000 else sure(inputs).round())

    async with serving(handle) as url:
        return await tried(attack, url, [f"k{at}" for at in range(attack.keys)])


async def test_a_cohort_that_is_known_gets_what_one_customer_gets() -> None:
    rows = await _under(SYBIL_LINKED, lambda _: "all of them")
    assert rows["served.share"].value == pytest.approx(5 / 6, abs=0.01)
    assert rows["in_detail.share"].value == pytest.approx(1 / 6, abs=0.01)
    assert "keys_needed" not in rows


async def test_customers_who_are_not_known_to_belong_together_get_everything() -> None:
    rows = await _under(SYBIL_UNLINKED, lambda key: key)
    # Five customers have 1,200 each to ask for, and 1,000 in detail.
    assert rows["keys_needed"].value == 20
    assert rows["served.share"].value == rows["in_detail.share"].value == 1
