"""What a private answer costs beyond one that is not: the core and its ledger, no network."""

import itertools
from asyncio import Runner
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from tests.bench.figures import Figure, Spread, Table
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns
from tests.privacy.ledger import GAUSSIAN, Gateway, table, text

_CALLS: Final = 50
_GOAL: Final = 50.0
"""Microseconds."""
_VOTES: Final = [12, 171, 3, 58, 6, 0, 0, 0, 0, 0]
_PLAIN: Final = "{name: few, count: requests, per: tenant, max: 1000000000, period: day}"
_LEDGER: Final = "{name: own, count: privacy, per: tenant, epsilon: 32, delta: 1e-5}"
_NOISE: Final = GAUSSIAN.replace("scale: 40", "scale: 500")
"""Much, so that the budget lasts as long as this."""


def private() -> Table:
    with TemporaryDirectory() as folder, Runner(loop_factory=uvloop.new_event_loop) as runner:
        plain = _gateway(folder, text(_PLAIN).replace(f"[{GAUSSIAN}]", "pass", 1))
        ledger = _gateway(folder, text(_LEDGER, _NOISE))
        numbers = itertools.count(1)
        scale, without, told, again = take_turns(
            [
                Work(empty_loop),
                *(
                    Work(partial(_ask, runner, gateway, numbers, new=new), per=_CALLS)
                    for gateway, new in ((plain, True), (ledger, True), (ledger, False))
                ),
            ]
        )
    return Table(
        "Private answers",
        "",
        (
            Figure(EMPTY_LOOP, "us", scale),
            Figure("ten counts, as they are, of a budget of requests", "us", without),
            Figure(
                "the same, answered privately: more than that",
                "us",
                _more(told, without),
                goal=_GOAL,
            ),
            Figure("the same, told again: more than that", "us", _more(again, without), goal=_GOAL),
        ),
    )


def _gateway(folder: str, policy: str) -> Gateway:
    policy = policy.replace("classes: [ape, bee, cat]", "classes: []")
    return Gateway(table(Path(folder), policy))


def _ask(runner: Runner, gateway: Gateway, numbers: "itertools.count[int]", *, new: bool) -> None:
    async def some() -> None:
        for _ in range(_CALLS):
            told = await gateway.ask(next(numbers) if new else 0, votes=_VOTES)
            assert isinstance(told, list), told

    runner.run(some())


def _more(one: Spread, other: Spread) -> Spread:
    return Spread(one.median - other.median, one.low - other.low, one.high - other.high)
