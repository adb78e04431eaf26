"""The ledger of privacy: what is answered is charged, once, before it is told, and never back."""

import asyncio
from pathlib import Path

import pytest

from extproc.mutators import NoisyMax
from extproc.mutators.noisy_max import Threshold
from extproc.privacy import capacity
from extproc.stores.memory import MemoryCounters
from tests.privacy.ledger import (
    BUDGET,
    CHECKED,
    GAUSSIAN,
    GUMBEL,
    SURE,
    TORN,
    Gateway,
    table,
    text,
)

ROOM = capacity(2.0, 1e-5)
EACH = NoisyMax(noise="gaussian", scale=40.0).cost().gdp
MOST = ROOM // EACH
"""Answers that the budget has room for."""
COUNTER = "digits/lifetime:"
TOLD = [[0, 1, 0]]


async def test_as_many_are_answered_as_the_promise_has_room_for_and_no_more(tmp_path: Path) -> None:
    gateway = Gateway(table(tmp_path))
    assert MOST == 201
    said = [await gateway.ask(number) for number in range(MOST + 3)]
    assert [each for each in said if each == 429] == [429] * 3
    assert said[MOST:] == [429] * 3
    assert await gateway.spent() == {COUNTER: EACH * MOST}


async def test_parallel_requests_never_pass_it_together(tmp_path: Path) -> None:
    gateway = Gateway(table(tmp_path))
    said = await gateway.together(*range(2 * MOST))
    assert said.count(429) == MOST
    assert await gateway.spent() == {COUNTER: EACH * MOST}


async def test_each_input_of_a_batch_is_charged_and_one_that_does_not_fit_is_refused_whole(
    tmp_path: Path,
) -> None:
    gateway = Gateway(table(tmp_path))
    assert len(await gateway.ask(*range(MOST - 1))) == MOST - 1
    assert await gateway.ask("a", "b") == 429
    assert await gateway.ask("c") == TOLD
    assert await gateway.spent() == {COUNTER: EACH * MOST}


async def test_what_was_told_is_told_again_for_nothing_whatever_the_votes_are_then(
    tmp_path: Path,
) -> None:
    gateway = Gateway(table(tmp_path))
    first = [await gateway.ask(number, votes=TORN) for number in range(MOST)]
    assert len({str(each) for each in first}) == 3  # of votes so close noise decides
    again = [await gateway.ask(number, votes=[250, 0, 0]) for number in range(MOST)]
    assert again == first
    assert await gateway.spent() == {COUNTER: EACH * MOST}
    assert await gateway.ask("new") == 429
    assert await gateway.ask(3, 3, 5) == [*first[3], *first[3], *first[5]]
    assert await gateway.ask(3, "new") == 429


async def test_inputs_of_one_meaning_are_told_one_answer_and_it_is_paid_for_once(
    tmp_path: Path,
) -> None:
    """Noise is of the input's canonical form and of the votes: two answers would differ only where
    the votes do.
    """
    gateway = Gateway(table(tmp_path))
    said = [[84, 83, 83], [83, 84, 83], [83, 83, 84]]
    for number in range(20):
        asked = [f"Is {number} odd?", f"is {number}  odd?", f"IS {number} ODD?"]
        first, *others = await gateway.ask(*asked, answer={"votes": said})
        assert others == [first] * 2
        assert await gateway.ask(asked[2]) == [first]
    assert await gateway.spent() == {COUNTER: EACH * 20}


async def test_of_very_many_inputs_nothing_is_remembered(tmp_path: Path) -> None:
    """One question to the store is bounded: they are paid for whenever they are asked."""
    cheap = text(BUDGET.replace("epsilon: 2", "epsilon: 8"), GAUSSIAN.replace("40", "400"))
    gateway, cost = Gateway(table(tmp_path, cheap)), EACH // 100
    for times in (1, 2):
        assert len(await gateway.ask(*range(1001))) == 1001
        assert await gateway.spent() == {COUNTER: 1001 * cost * times}


async def test_nobody_is_told_for_nothing_what_another_tenant_asked(tmp_path: Path) -> None:
    gateway = Gateway(table(tmp_path))
    await gateway.ask("the same")
    assert await gateway.ask("the same", tenant="beta", key="c", votes=[250, 0, 0]) == [[1, 0, 0]]
    assert await gateway.spent("beta", "beta") == {COUNTER: EACH}
    assert await gateway.ask("the same", key="b", votes=[250, 0, 0]) == TOLD


@pytest.mark.parametrize("per", ["principal", "[tenant, principal]", "[principal, model]"])
async def test_whoever_has_a_promise_of_his_own_pays_for_what_others_were_told(
    tmp_path: Path, per: str
) -> None:
    """Else ten callers of ten promises would each be told what ten have room for."""
    gateway = Gateway(table(tmp_path, text(BUDGET.replace("tenant", per))))
    for key in "ab":
        await gateway.ask(*range(MOST), key=key)
        assert await gateway.ask("more", key=key) == 429
        assert await gateway.ask(*range(MOST), key=key) == TOLD * MOST
    assert [*(await gateway.spent()).values()] == [EACH * MOST] * 2


async def test_another_key_epoch_draws_anew_and_is_charged_anew(tmp_path: Path) -> None:
    first = Gateway(table(tmp_path))
    assert await first.ask("a") == TOLD
    later = text().replace('keys: {hmac: "env:HMAC"}', 'keys: {hmac: "env:HMAC", epoch: 2}')
    second = Gateway(table(tmp_path, later), first.counters, first.memos)
    assert await second.ask("a", votes=[250, 0, 0]) == [[1, 0, 0]]
    assert await second.spent() == {COUNTER: 2 * EACH}


async def test_a_lost_memo_is_charged_again(tmp_path: Path) -> None:
    counters, policy = MemoryCounters(), table(tmp_path)
    for number in range(1, 4):
        gateway = Gateway(policy, counters)  # which remembers nothing
        assert await gateway.ask("a") == TOLD
        assert await gateway.spent() == {COUNTER: EACH * number}


async def test_what_is_not_told_is_not_charged(tmp_path: Path) -> None:
    gateway = Gateway(table(tmp_path))
    wrong = [
        {"votes": [[0, 249, 0]]},
        {"votes": [[0, 251, 0]]},
        {"votes": [[-1, 251, 0]]},
        {"votes": [[0.0, 250.0, 0.0]]},
        {"votes": [[True, 249, 0]]},
        {"votes": [SURE, SURE]},
        {"votes": [[1 << 63]]},
        {"votes": [[]]},
        {"votes": [[0, 250]]},
        {"votes": [[*SURE, 0]]},
        {"votes": ["0,250,0"]},
        {"votes": [SURE], "classes": ["bee", "ape", "cat"]},
    ]
    for number, answer in enumerate(wrong):
        assert await gateway.ask(number, answer=answer) == 502, answer
    for status in (400, 429, 500, 503):
        assert await gateway.ask("b", answer=status) >= 400
    assert await gateway.spent() == {}


async def test_what_was_drawn_and_not_told_is_not_remembered(tmp_path: Path) -> None:
    gateway = Gateway(table(tmp_path))
    assert await gateway.ask("a", "b", answer={"votes": [SURE, [0, 249, 0]]}) == 502
    assert await gateway.ask("a", votes=[250, 0, 0]) == [[1, 0, 0]]
    assert await gateway.spent() == {COUNTER: EACH}


async def test_an_answer_below_the_threshold_costs_the_check_alone(tmp_path: Path) -> None:
    gateway = Gateway(table(tmp_path, text(mechanism=CHECKED)))
    check = NoisyMax(noise="gaussian", scale=40.0, threshold=Threshold(votes=200, sigma=20.0))
    refused = check.cost().gdp - EACH
    assert await gateway.ask("a", votes=TORN) == [[0, 0, 0]]
    assert await gateway.spent() == {COUNTER: refused}
    assert await gateway.ask("b") == TOLD
    assert await gateway.spent() == {COUNTER: 2 * refused + EACH}
    assert await gateway.ask("a") == [[0, 0, 0]]
    assert await gateway.spent() == {COUNTER: 2 * refused + EACH}


async def test_a_sidecar_that_dies_before_it_settles_has_charged_the_worst_case(
    tmp_path: Path,
) -> None:
    now = [0]
    counters = MemoryCounters(clock=lambda: now[0])
    gateway = Gateway(table(tmp_path, text(mechanism=CHECKED)), counters)
    await gateway.ask("a", votes=TORN, settles=False)
    worst = await gateway.spent()
    now[0] = 3600 * 1_000_000  # its lease is over
    await gateway.ask("b", answer=503)
    assert await gateway.spent() == worst == {COUNTER: 2_500_000 + EACH}


async def test_what_was_spent_stays_spent_when_the_noise_or_the_promise_changes(
    tmp_path: Path,
) -> None:
    counters, memos = MemoryCounters(), None
    first = Gateway(table(tmp_path), counters, memos)
    for number in range(MOST):
        await first.ask(number)
    coarser = GAUSSIAN.replace("40", "400")
    cost = NoisyMax(noise="gaussian", scale=400.0).cost().gdp
    left = (ROOM - EACH * MOST) // cost
    second = Gateway(table(tmp_path, text(mechanism=coarser)), counters, first.memos)
    said = [await second.ask(number) for number in range(left + 2)]
    assert said[left:] == [429, 429]  # none is of the memory of another mechanism
    larger = Gateway(table(tmp_path, text(BUDGET.replace("2,", "3,"))), counters)
    assert await larger.ask("c") == TOLD
    assert await larger.spent() == {COUNTER: EACH * (MOST + 1) + cost * left}
    smaller = Gateway(table(tmp_path, text(BUDGET.replace("2,", "1,"))), counters)
    assert await smaller.ask("d") == 429


async def test_whoever_has_used_it_up_is_answered_at_a_lower_tier_as_long_as_that_costs_nothing(
    tmp_path: Path,
) -> None:
    silent = BUDGET.replace("}", ", exhausted: {fidelity: silent}}")
    gateway = Gateway(table(tmp_path, text(silent)))
    await gateway.ask(*range(MOST))
    assert await gateway.ask("more") == []
    assert await gateway.spent() == {COUNTER: EACH * MOST}


async def test_a_lower_tier_that_costs_less_is_paid_of_what_is_left_and_never_more(
    tmp_path: Path,
) -> None:
    rough = BUDGET.replace("}", ", exhausted: {fidelity: rough}}")
    gateway = Gateway(table(tmp_path, text(rough)))
    await gateway.ask(*range(MOST))
    cost = NoisyMax(noise="gaussian", scale=400.0).cost().gdp
    left = (ROOM - EACH * MOST) // cost
    said = [await gateway.ask(f"more {number}") for number in range(left + 2)]
    assert [each == 429 for each in said] == [False] * left + [True] * 2
    assert await gateway.spent() == {COUNTER: EACH * MOST + cost * left}


@pytest.mark.parametrize(
    ("per", "groups"),
    [
        ("principal", {"acme": ["a" * 64, "b" * 64]}),
        ("tenant", {"acme": [""]}),
        ("cohort", {"cohort:band": [""]}),
        ("model", {"acme": ["zoo"]}),
        ("kind", {"acme": ["votes"]}),
    ],
)
async def test_it_is_told_apart_as_budgets_are(
    tmp_path: Path, per: str, groups: dict[str, list[str]]
) -> None:
    gateway = Gateway(table(tmp_path, text(BUDGET.replace("tenant", per))))
    await gateway.ask("a")
    await gateway.ask("b", key="b")
    for group, subjects in groups.items():
        spent = await gateway.spent(group)
        named = [f"{COUNTER}{'key:' if per == 'principal' else ''}{each}" for each in subjects]
        assert spent == dict.fromkeys(named, 2 * EACH // len(subjects))


async def test_a_group_that_works_together_composes(tmp_path: Path) -> None:
    """All tenants have one budget of a model's data, beside their own."""
    total = "budgets: [{name: all, count: privacy, epsilon: 1, delta: 1e-5, per: model}]\n"
    gateway = Gateway(table(tmp_path, text(more=total)))
    most = capacity(1.0, 1e-5) // EACH
    asking = [("acme", "a"), ("acme", "b"), ("beta", "c"), ("gamma", "d")]
    said = await asyncio.gather(
        *(
            gateway.ask(number, tenant=tenant, key=key)
            for number in range(most)
            for tenant, key in asking
        )
    )
    assert len(said) - said.count(429) == most
    assert (await gateway.spent(""))["all/lifetime:zoo"] == EACH * most


async def test_where_delta_is_0_epsilons_add(tmp_path: Path) -> None:
    pure = BUDGET.replace("1e-5", "0")
    gateway = Gateway(table(tmp_path, text(pure, GUMBEL)))
    said = [await gateway.ask(number) for number in range(42)]
    assert said.count(429) == 2  # epsilon of one is 2 / 40
    assert await gateway.spent() == {"digits/lifetime, delta 0:": 2_000_000_000}
