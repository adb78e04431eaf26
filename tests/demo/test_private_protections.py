from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml

from extproc.demo.answer import Answer
from extproc.demo.policy_file import TENANTS, template
from extproc.demo.private import ASKED, Private
from extproc.demo.private_protections import GRANTED, PRIVATE
from extproc.demo.verdict import judge
from extproc.privacy import capacity, exact, gaussian_cost
from tests.demo.fabricated import answer, error

ONE, COUNTS = [0, 0, 1], [7, 20, 73]
ONE_CLASS, PROMISE = PRIVATE


def _answer(votes: list[int], name: str = "votes") -> Answer:
    return answer([{"outputs": [{"name": name, "data": votes}]}])


REFUSED = error(429, "rate_limit_exceeded")
HELD = Private(
    _answer(COUNTS),
    [*GRANTED * [_answer(ONE)], *(ASKED - GRANTED) * [REFUSED]],
    _answer(ONE),
)


def _failed(private: Private) -> Iterator[str]:
    return (each.protection for each in judge(PRIVATE, private) if not each.held)


def test_both_hold_where_the_promise_is_kept() -> None:
    assert [*_failed(HELD)] == []


@pytest.mark.parametrize(
    ("votes", "name"), [(COUNTS, "votes"), ([0, 1, 1], "votes"), (ONE, "label")]
)
def test_anything_but_one_class_is_found(votes: list[int], name: str) -> None:
    told = [_answer(ONE), _answer(votes, name), *HELD.told[2:]]
    assert [*_failed(replace(HELD, told=told))] == [ONE_CLASS]


def test_an_ensemble_that_tells_no_counts_shows_nothing() -> None:
    assert [*_failed(replace(HELD, said=_answer(ONE)))] == [ONE_CLASS]
    assert [*_failed(replace(HELD, said=_answer([0, 0, 100])))] == [ONE_CLASS]


@pytest.mark.parametrize("more", [-1, 1])
def test_one_answer_more_or_less_than_promised_is_found(more: int) -> None:
    count = GRANTED + more
    told = [*count * [_answer(ONE)], *(ASKED - count) * [REFUSED]]
    assert [*_failed(replace(HELD, told=told))] == [PROMISE]


@pytest.mark.parametrize("again", [REFUSED, _answer([1, 0, 0])])
def test_another_answer_to_what_was_told_is_found(again: Answer) -> None:
    assert [*_failed(replace(HELD, again=again))] == [PROMISE]


def test_the_policy_has_room_for_as_many_as_are_promised() -> None:
    document = yaml.safe_load(template())
    [noise] = document["fidelities"]["private"]["votes"]
    [budget] = document["policies"]["private"]["budgets"]
    cost = gaussian_cost(exact(2), exact(noise["scale"]))
    assert capacity(budget["epsilon"], budget["delta"]) // cost.gdp == GRANTED < ASKED
    assert f"{GRANTED} answers" in TENANTS["private"]
