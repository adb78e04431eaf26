import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extproc.limits import (
    SECOND,
    Amounts,
    Caller,
    Charge,
    Concurrency,
    Limit,
    Rate,
    Scope,
    Unit,
    charges,
)

RULE = Rate("burst/1s", 20, SECOND)
ALICE = Caller(
    "acme",
    "key:1",
    "partners",
    "POST /v1",
    "high",
    {(32, 64): "here", (24, 56): "around"},
    "user",
    "m",
)
AMOUNTS = Amounts(1, 2, 30, 40, {"text": 500, "embedding": 6})


def charged(limit: Limit, caller: Caller = ALICE, amounts: Amounts = AMOUNTS) -> list[Charge]:
    return charges([limit], caller, amounts)


@pytest.mark.parametrize(
    ("per", "group", "subject"),
    [
        ("tenant", "acme", ""),
        ("principal", "acme", "key:1"),
        ("user", "acme", "user"),
        ("address", "acme", "here"),
        ("route", "acme", "POST /v1"),
        ("model", "acme", "m"),
        ("risk", "acme", "high"),
        ("cohort", "cohort:partners", ""),
    ],
)
def test_each_scope_has_a_counter_of_its_own(per: Scope, group: str, subject: str) -> None:
    [charge] = charged(Limit(RULE, "requests", (per,)))
    assert (charge.group, charge.subject) == (group, subject)


def test_scopes_together_are_told_apart_by_all_of_them() -> None:
    [charge] = charged(Limit(RULE, "requests", ("tenant", "principal", "model")))
    assert (charge.group, charge.subject) == ("acme", "key:1|m")


@pytest.mark.parametrize(
    ("per", "group"),
    [
        (("route",), ""),
        (("address",), ""),
        (("model", "risk"), ""),
        (("principal",), "acme"),
        (("user", "route"), "acme"),
        (("tenant",), "acme"),
        (("cohort", "route"), "cohort:partners"),
    ],
)
def test_what_tenants_share_is_counted_together_but_for_what_is_one_tenants(
    per: tuple[Scope, ...], group: str
) -> None:
    [charge] = charged(Limit(RULE, "requests", per, shared=True))
    assert charge.group == group


def test_addresses_are_told_apart_to_the_length_of_the_prefix() -> None:
    [charge] = charged(Limit(RULE, "requests", ("address",), prefix=(24, 56)))
    assert charge.subject == "around"
    [unknown] = charged(Limit(RULE, "requests", ("address",), prefix=(8, 16)))
    assert not unknown.subject


def test_of_models_only_those_count_that_fit() -> None:
    assert charged(Limit(RULE, "requests", models=("m*",)))
    assert not charged(Limit(RULE, "requests", models=("big-*", "x")))


def test_bits_are_counted_of_the_kinds_that_are_named_or_of_each() -> None:
    assert [each.amount for each in charged(Limit(RULE, "bits"))] == [506]
    some = Limit(RULE, "bits", kinds=frozenset({"embedding"}))
    assert [each.amount for each in charged(some)] == [6]
    each = charged(Limit(RULE, "bits", ("kind",)))
    assert [(one.subject, one.amount, [*one.kinds]) for one in each] == [
        ("text", 500, ["text"]),
        ("embedding", 6, ["embedding"]),
    ]
    both = Limit(RULE, "bits", ("kind",), kinds=frozenset({"text", "label"}))
    assert [one.subject for one in charged(both)] == ["text"]


@pytest.mark.parametrize(
    ("unit", "amount", "kept"),
    [
        ("requests", 1, 1),
        ("queries", 2, 2),
        ("tokens", 70, 0),
        ("credits", 2000, 2000),
        ("bits", 506, 506),
        ("concurrent", 1, 0),
    ],
)
def test_a_charge_is_of_its_unit(unit: Unit, amount: int, kept: int) -> None:
    [charge] = charged(Limit(RULE, unit))
    assert (charge.amount, charge.kept, charge.unit) == (amount, kept, unit)


def test_what_costs_nothing_is_not_counted() -> None:
    assert not charged(Limit(RULE, "bits"), amounts=Amounts())


def test_the_name_is_without_the_window() -> None:
    assert Limit(RULE, "requests").name == "burst"
    assert Limit(Concurrency("parallel", 3), "concurrent").name == "parallel"


@pytest.mark.parametrize(
    ("limit", "early"),
    [
        (Limit(RULE, "requests", ("principal", "route", "address", "cohort", "risk")), True),
        (Limit(RULE, "requests", ("user",)), False),
        (Limit(RULE, "requests", ("model",)), False),
        (Limit(RULE, "requests", ("kind",)), False),
        (Limit(RULE, "requests", models=("m",)), False),
        (Limit(RULE, "requests", budget=True), False),
        (Limit(RULE, "queries"), False),
        (Limit(RULE, "concurrent"), False),
    ],
)
def test_early_is_what_header_fields_alone_decide(limit: Limit, early: bool) -> None:
    assert limit.early is early


@pytest.mark.parametrize("model", ["m" * 100_000, "\0", "\ud800", "a\nb"])
def test_what_a_request_calls_its_model_is_no_subject_of_any_length(model: str) -> None:
    [charge] = charged(Limit(RULE, "requests", ("model",)), Caller("acme", "key:1", model=model))
    assert len(charge.subject) == 32


NAMES = st.text("ab|", max_size=3)


@example("a|", "b", "a", "|b")
@example("%7C", "b", "|", "b")
@example("\0", "", "", "")
@given(NAMES, NAMES, NAMES, NAMES)
def test_different_callers_have_different_counters(a: str, b: str, c: str, d: str) -> None:
    """Whatever they are called: a separator in a name makes no two of them one."""
    limit = Limit(RULE, "requests", ("principal", "model"))
    one, other = Caller("acme", a, model=b), Caller("acme", c, model=d)
    [first], [second] = charged(limit, one), charged(limit, other)
    assert (first.subject == second.subject) == ((a, b) == (c, d))


@pytest.mark.parametrize(
    ("per", "shared", "own"),
    [
        (("tenant",), False, True),
        (("principal", "route"), True, True),
        (("route",), True, False),
        (("route",), False, True),
        (("cohort",), False, False),
    ],
)
def test_what_only_one_tenant_counts_on_is_its_own(
    per: tuple[Scope, ...], shared: bool, own: bool
) -> None:
    limit = Limit(Rate("a/1s", 1, SECOND), "requests", per, shared=shared)
    assert limit.own is own
    assert (limit.group("acme", "band") == "acme") is own
