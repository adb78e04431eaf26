"""Whoever can be stopped takes something of its own with every request, whatever counts it."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from extproc.limits import (
    SECOND,
    Amounts,
    Calendar,
    Charge,
    Concurrency,
    Limit,
    Periods,
    Rate,
    Refused,
    Taken,
    charges,
    presence,
)
from extproc.policy import Policy
from extproc.stores.memory import MemoryCounters
from tests.playbook import policy

LIMITS = [
    Limit(Rate("own/1s", 5, SECOND), "requests", ("tenant",)),
    Limit(Rate("each/1s", 5, SECOND), "requests", ("principal",)),
    Limit(Rate("ring/1s", 5, SECOND), "requests", ("cohort",)),
    Limit(Rate("all/1s", 5, SECOND), "requests", ("route",), shared=True),
    Limit(Rate("some/1s", 5, SECOND), "requests", ("tenant",), models=("x-*",)),
    Limit(Concurrency("flight", 5), "concurrent", ("tenant",)),
    Limit(Calendar("bits/day", 5, Periods("day")), "bits", ("tenant", "kind"), budget=True),
    Limit(Calendar("words/day", 5, Periods("day")), "tokens", ("tenant",), budget=True),
]


def taken(of: Policy) -> tuple[list[Charge], list[Charge]]:
    """What a request takes as it comes, and once it has been read; nothing of it counts tokens."""
    caller = of.caller("key:1", {}, "", "m")
    late = charges(of.reserved, caller, Amounts())
    return of.charges(caller), [*late, *of.present(late)]


@example(chosen={6}, shadow=False)
@example(chosen={0, 6}, shadow=False)
@given(chosen=st.sets(st.sampled_from(range(len(LIMITS)))), shadow=st.booleans())
def test_every_request_of_a_tenant_takes_something_of_its_own(
    chosen: set[int], shadow: bool
) -> None:
    limits = [LIMITS[index] for index in sorted(chosen)]
    of = replace(
        policy(
            limits=tuple(limit for limit in limits if limit.early),
            reserved=tuple(limit for limit in limits if not limit.early),
            shadow=shadow,
        ),
        stoppable=True,
    )
    early, late = taken(of)
    # In the shadow nothing that comes later is refused.
    refusing = early if shadow else [*early, *late]
    assert any(charge.group == "acme" for charge in refusing)
    marks = [charge for charge in (*early, *late) if charge == presence("acme")]
    assert len(marks) <= 1
    assert all(charge.amount for charge in (*early, *late) if charge not in marks)


@given(st.sets(st.sampled_from(range(len(LIMITS)))))
def test_nobody_pays_for_it_where_nobody_can_be_stopped(chosen: set[int]) -> None:
    limits = tuple(LIMITS[index] for index in sorted(chosen))
    of = policy(
        limits=tuple(limit for limit in limits if limit.early),
        reserved=tuple(limit for limit in limits if not limit.early),
    )
    early, late = taken(of)
    assert presence("acme") not in (*early, *late)


async def test_it_is_nothing_at_all_and_still_stopped() -> None:
    store = MemoryCounters()
    for _ in range(1000):
        assert isinstance(await store.take([presence("acme")], final=True), Taken)
    await store.freeze("acme", frozen=True)
    assert await store.take([presence("acme")], final=True) == Refused((), frozen=True)
    assert isinstance(await store.take([presence("beta")], final=True), Taken)
