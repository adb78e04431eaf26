"""How a thief is treated is counted; customers beside it are told apart by whether they were."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from extproc.redteam.attacks.thief import ASKED, GIVEN_UP, GivenUp, Thief, alarms, beside

Answer = Callable[[int], tuple[bool, bool]]


@dataclass(slots=True, kw_only=True)
class _Scripted(Thief):
    answer: Answer
    heard: list[int]

    async def answered(self, some: Any, key: int) -> tuple[bool, bool]:
        self.heard.append(key)
        return self.answer(len(self.heard))


def _thief(answer: Answer, keys: int = 1, at_once: int = 1) -> _Scripted:
    rng = np.random.default_rng(1)
    return _Scripted(range(5, 5 + keys), rng, at_once, answer=answer, heard=[])


def _found(thief: Thief) -> dict[str, float]:
    return {finding.measure: finding.value for finding in thief.findings("this")}


async def test_who_is_never_noticed_gets_all_and_nothing_is_said_of_when() -> None:
    thief = _thief(lambda _: (True, True))
    await thief.ask(range(3 * ASKED))
    await thief.ask(range(3))
    assert _found(thief) == {"in_full": ASKED}


async def test_it_is_told_when_answers_became_less_and_when_they_ceased() -> None:
    thief = _thief(lambda count: (count <= 7, count <= 4))
    with pytest.raises(GivenUp):
        await thief.ask(range(ASKED))
    assert _found(thief) == {"in_full": 4, "before_lowered": 4, "before_refused": 7}
    assert len(thief.heard) == 7 + GIVEN_UP


async def test_who_is_answered_with_less_need_not_be_refused() -> None:
    thief = _thief(lambda count: (True, count <= 4))
    await thief.ask(range(ASKED))
    assert _found(thief) == {"in_full": 4, "before_lowered": 4}


async def test_a_refusal_in_between_does_not_end_it() -> None:
    thief = _thief(lambda count: (count % GIVEN_UP > 0, count % GIVEN_UP > 0))
    await thief.ask(range(ASKED))
    assert _found(thief)["in_full"] == ASKED * (GIVEN_UP - 1) / GIVEN_UP
    assert _found(thief)["before_lowered"] == GIVEN_UP - 1


async def test_keys_take_turns_and_each_may_be_refused_as_often() -> None:
    thief = _thief(lambda _: (False, False), keys=2)
    with pytest.raises(GivenUp):
        await thief.ask(range(ASKED))
    assert thief.heard == [5, 6] * GIVEN_UP


async def test_a_request_of_many_is_as_many_inputs() -> None:
    thief = _thief(lambda count: (count < 2, count < 2), at_once=ASKED // 2)
    await thief.ask(np.zeros((ASKED, 3)))
    assert _found(thief)["in_full"] == _found(thief)["before_refused"] == ASKED // 2


async def test_customers_ask_while_thieves_do_and_one_that_is_taken_is_counted() -> None:
    began = asyncio.Event()

    async def steal() -> None:
        await began.wait()
        raise GivenUp

    async def customer(taken: bool) -> bool:
        began.set()
        return taken

    taken = await beside([steal, steal], [customer(False), customer(True), customer(True)])
    found = {each.measure: each for each in alarms(["a", "b", "c"], taken)}
    assert (found["customers"].value, found["false_alarms"].value) == (3, 2)
    assert found["false_alarms"].note == "b, c"


async def test_what_breaks_a_thief_ends_its_customers() -> None:
    ended: list[str] = []

    began = asyncio.Event()

    async def steal() -> None:
        await began.wait()
        raise ConnectionError

    async def customer() -> bool:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            ended.append("customer")
        return False

    with pytest.raises(ConnectionError):
        await beside([steal], [customer()])
    assert ended == ["customer"]
