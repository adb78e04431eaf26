"""A budget that each replica grants is found, and one that they grant together is not passed."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from extproc.redteam.attacks.budget_replicas import ATTACK, GRANTED
from extproc.redteam.row import Row
from tests.redteam.faulty import answer, bearer, refusal, rows_asked, serving, sure, tried

pytestmark = pytest.mark.slow

KEYS = [f"k{at}" for at in range(ATTACK.keys)]
WAYS = {measure.name for measure in ATTACK.measures if measure.name.startswith("over.")}


@dataclass
class _Replica:
    """Counts by key in ``spent``, which another one may have too."""

    spent: Counter[str] = field(default_factory=Counter)
    late: bool = False
    """Whether it charges after it has looked, and others are served in between."""
    free_when_hung_up: bool = False
    """Whether it charges when its answer has been taken whole, and not before."""
    off: bool = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        key, inputs = bearer(request), await rows_asked(request)
        early = self.spent[key]
        for _ in range(200 * self.late):
            await asyncio.sleep(0)
        before = early if self.late else self.spent[key]
        if self.off or before + len(inputs) > GRANTED:
            return refusal(503 if self.off else 429)
        if self.free_when_hung_up:
            return await self._charged_at_the_end(request, len(inputs), answer(sure(inputs)))
        self.spent[key] += len(inputs)
        return answer(sure(inputs))

    async def _charged_at_the_end(
        self, request: web.BaseRequest, cost: int, whole: web.Response
    ) -> web.StreamResponse:
        """The last chunk, which ends an answer, comes when its reader has had time to go."""
        reply = web.StreamResponse()
        reply.enable_chunked_encoding()
        await reply.prepare(request)
        assert isinstance(whole.body, bytes)
        await reply.write(whole.body)
        assert request.transport is not None
        for _ in range(1_000):
            await asyncio.sleep(0)
        if not request.transport.is_closing():
            await reply.write_eof()
            self.spent[bearer(request)] += cost
        return reply


async def _found(one: _Replica, two: _Replica) -> dict[str, Row]:
    async with serving(one.handle) as first, serving(two.handle) as second:
        return await tried(ATTACK, first, KEYS, replicas=(first, second))


def _over(rows: dict[str, Row]) -> dict[str, float]:
    return {name: row.value for name, row in rows.items() if name in WAYS and row.value}


async def test_a_budget_that_is_counted_together_is_granted_once() -> None:
    spent: Counter[str] = Counter()
    rows = await _found(_Replica(spent), _Replica(spent))
    assert _over(rows) == {}
    assert rows["served_over_budget"].value == 0
    assert rows["budgets"].value == 1
    assert rows["replicas"].value == 2


async def test_a_budget_that_each_counts_by_itself_is_granted_twice_whichever_way() -> None:
    rows = await _found(_Replica(), _Replica())
    assert _over(rows) == dict.fromkeys(WAYS, GRANTED)
    assert rows["served_over_budget"].value == len(WAYS) * GRANTED
    assert rows["budgets"].value == 2


async def test_a_look_long_before_the_charge_is_passed_by_asking_at_once() -> None:
    spent: Counter[str] = Counter()
    rows = await _found(_Replica(spent, late=True), _Replica(spent, late=True))
    assert "over.at-once" in _over(rows)
    assert {"over.in-turn", "over.on-refusal"}.isdisjoint(_over(rows))


async def test_an_answer_that_is_charged_at_its_end_is_free_for_who_hangs_up() -> None:
    spent: Counter[str] = Counter()
    rows = await _found(
        _Replica(spent, free_when_hung_up=True), _Replica(spent, free_when_hung_up=True)
    )
    assert "over.hang-up" in _over(rows)
    assert {"over.in-turn", "over.on-refusal"}.isdisjoint(_over(rows))


async def test_a_replica_that_is_off_is_not_counted_as_one_that_holds() -> None:
    rows = await _found(_Replica(), _Replica(off=True))
    assert rows["served_over_budget"].value == 0
    assert rows["replicas"].value == 1


async def test_without_replicas_what_stands_there_is_asked_alone() -> None:
    async with serving(_Replica().handle) as url:
        rows = await tried(ATTACK, url, KEYS)
    assert rows["budgets"].value == rows["replicas"].value == 1
