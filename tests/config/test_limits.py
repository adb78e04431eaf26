from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from extproc.dialects.kinds import _remembered
from extproc.errors import ConfigError
from extproc.limits import (
    MILLI,
    SECOND,
    Calendar,
    Concurrency,
    Limit,
    Rate,
    Sliding,
    Tariff,
    microseconds,
)
from extproc.limits.exhaustion import DENY, Lower, Throttle
from extproc.policy import Policy
from tests.config.example import changed, compiled

LIMIT = "{name: burst, per: principal, count: requests, max: 20, window: 1s}"
CHAT = ("dialect: openai_embeddings}", "dialect: openai_chat}")
DAY = microseconds(86_400)


def text(*lines: str, budgets: tuple[str, ...] = (), more: tuple[tuple[str, str], ...] = ()) -> str:
    """The partner's limits, and its budgets."""
    listed = "".join(f"\n      - {line}" for line in lines) or " []"
    if budgets:
        listed += "\n    budgets:" + "".join(f"\n      - {line}" for line in budgets)
    return changed((f"\n      - {LIMIT}", listed), *more)


def acme(folder: Path, policy: str) -> Policy:
    return compiled(folder, policy).policies["acme", "POST /v1/embeddings"]


def told(folder: Path, policy: str) -> str:
    with pytest.raises(ConfigError) as caught:
        compiled(folder, policy)
    return str(caught.value).removeprefix(f"{folder}/policy.yaml:")


BUDGET = "name: daily, per: tenant, count: queries, max: 10"


def test_a_limit_is_what_the_file_says(tmp_path: Path) -> None:
    lines = (
        LIMIT,
        "{name: parallel, per: [tenant, model], count: concurrent, max: 3}",
        (
            "{name: far, per: address, prefix: {ipv4: 24, ipv6: 56}, count: queries, max: 5,"
            " window: 2m, models: [text-a]}"
        ),
    )
    found = acme(tmp_path, text(*lines))
    assert found.limits == (Limit(Rate("burst/1s", 20, SECOND), "requests", ("principal",)),)
    parallel, far = found.reserved
    assert parallel == Limit(Concurrency("parallel", 3), "concurrent", ("tenant", "model"))
    assert (far.rule, far.prefix, far.models) == (
        Rate("far/2m", 5, 120 * SECOND),
        (24, 56),
        ("text-a",),
    )
    assert found.prefixes == {(24, 56)}


def test_a_budget_is_of_a_window_or_of_a_calendar(tmp_path: Path) -> None:
    budgets = (
        f"{{{BUDGET}, window: 1d}}",
        "{name: monthly, per: tenant, count: credits, max: 10, period: month, zone: Europe/Berlin}",
    )
    daily, monthly = acme(tmp_path, text(budgets=budgets)).reserved
    assert daily == Limit(Sliding("daily/1d", 10, DAY), "queries", budget=True)
    assert isinstance(monthly.rule, Calendar)
    assert (monthly.rule.name, monthly.rule.max) == ("monthly/month", 10 * MILLI)
    assert monthly.rule.periods.period == "month"
    assert monthly.rule.periods.zone == ZoneInfo("Europe/Berlin")
    assert (monthly.exhausted, monthly.budget) == (DENY, True)


def test_what_is_exhausted_lowers_answers_below_the_tier_of_the_policy(tmp_path: Path) -> None:
    more = (("  standard:", "  coarse: {embedding: pass}\n  standard:"),)
    budgets = (
        f"{{{BUDGET}, window: 1d, exhausted: {{fidelity: labels}}}}",
        (
            "{name: b, per: tenant, count: requests, max: 1, window: 1h,"
            " exhausted: {throttle: {max: 1, window: 1m}}}"
        ),
    )
    lower = (("policies:\n", "  labels: {text: pass}\npolicies:\n"),)
    found = acme(tmp_path, text(budgets=budgets, more=more + lower))
    assert found.reserved[0].exhausted == Lower("labels")
    assert isinstance(found.reserved[1].exhausted, Throttle)
    assert [*found.lower] == ["labels"]
    low = found.lower["labels"]
    assert (low.fidelity.name, low.tenant, low.reserved) == ("labels", "acme", found.reserved)
    assert found.lowest(["labels"]) is low
    assert found.lowest([]) is None


def test_every_tier_that_answers_are_lowered_to_can_be_lowered_to_those_below(
    tmp_path: Path,
) -> None:
    budgets = (
        f"{{{BUDGET}, window: 1d, exhausted: {{fidelity: labels}}}}",
        "{name: b, per: cohort, count: requests, max: 1, window: 1h,"  # noqa: ISC004
        " exhausted: {fidelity: none}}",
    )
    lower = (("policies:\n", "  labels: {text: pass}\n  none: {usage: pass}\npolicies:\n"),)
    found = acme(tmp_path, text(budgets=budgets, more=lower))
    assert [*found.lower] == ["labels", "none"]
    assert [*found.lower["labels"].lower] == ["none"]
    assert not found.lower["none"].lower


def test_what_the_whole_file_limits_counts_for_every_policy_first(tmp_path: Path) -> None:
    every = "{name: all, per: route, count: requests, max: 9, window: 1m}"
    named = "{name: one, per: tenant, routes: [GET *], count: requests, max: 9, window: 1m}"
    shared = text(LIMIT, more=(("tenants:", f"limits: [{every}, {named}]\ntenants:"),))
    found = acme(tmp_path, shared).limits
    assert [(limit.name, limit.shared) for limit in found] == [("all", True), ("burst", False)]
    status = compiled(tmp_path, shared).policies["beta", "GET /v2/health/ready"]
    assert [limit.name for limit in status.limits] == ["all", "one"]


def test_tenants_of_a_cohort_share_it(tmp_path: Path) -> None:
    made = compiled(tmp_path, changed(("acme: {", "acme: {cohort: eu, ")))
    assert made.policies["acme", "POST /v1/embeddings"].caller("key:1", {}).cohort == "eu"
    assert made.policies["beta", "POST /v1/embeddings"].caller("key:1", {}).cohort == "beta"


def test_what_a_request_costs_is_a_sum_and_times(tmp_path: Path) -> None:
    prices = (
        "credits: {request: 1, query: 2, input_token: 0.5, output_token: 4, high_risk: 3,"
        " models: [{models: [big-*], times: 10}]}\ntenants:"
    )
    found = acme(tmp_path, changed(("tenants:", prices)))
    assert found.tariff == Tariff(1, 2, 0.5, 4, 1.0, ((("big-*",), 10),))


RISKY = "dialect: openai_embeddings, risk: high, credentials: {strength: 1}}"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            text("{name: a, per: tenant, count: requests, max: 1}"),
            "22: policies.partner.limits[0]: a limit has a window; add window: 1s, 1m or another",
        ),
        (
            text("{name: a, per: tenant, count: concurrent, max: 1, window: 1s}"),
            (
                "22: policies.partner.limits[0].window: what is under way at one time has no "
                "window; remove it"
            ),
        ),
        (
            text("{name: a, per: tenant, count: requests, kinds: [text], max: 1, window: 1s}"),
            (
                "22: policies.partner.limits[0].kinds: only bits and privacy are of kinds, and "
                "this counts requests; remove it, or write count: bits"
            ),
        ),
        (
            text(LIMIT, LIMIT),
            (
                "23: policies.partner.limits[1].name: repeated, first on line 22; rename one: "
                "limits of one name share a count"
            ),
        ),
        (
            text(LIMIT, more=(("tenants:", f"limits: [{LIMIT}]\ntenants:"),)),
            (
                "22: policies.partner.limits[0].name: repeated, first on line 23; rename one: "
                "limits of one name share a count"
            ),
        ),
        (
            text(LIMIT.replace("}", ", routes: [GET /x]}")),
            (
                "22: policies.partner.limits[0]: no request would count against it: it names none "
                "of the routes there are; name routes of the policy, or remove it"
            ),
        ),
        (
            text(LIMIT.replace("}", ", risk: high}")),
            (
                "22: policies.partner.limits[0]: no request would count against it: it names none "
                "of the routes there are; name routes of the policy, or remove it"
            ),
        ),
        (
            text(
                LIMIT, more=(("tenants:", f"limits: [{LIMIT[:-1]}, routes: [GET /x]}}]\ntenants:"),)
            ).replace(
                "name: burst, per: principal, count: requests, max: 20, window: 1s, r",
                "name: x, per: tenant, count: requests, max: 1, window: 1s, r",
            ),
            (
                "23: limits[0]: no request would count against it: it names none of the routes "
                "there are; name routes of the policy, or remove it"
            ),
        ),
        (
            text(budgets=(f"{{{BUDGET}, window: 1d, exhausted: {{acr: [gold]}}}}",)),
            (
                "23: policies.partner.budgets[0].exhausted.acr: nobody could show one: the file "
                "has no credential of an issuer; add one of kind: jwt under credentials, or write "
                "exhausted: deny"
            ),
        ),
        (
            text(budgets=(f"{{{BUDGET}}}",)),
            (
                "23: policies.partner.budgets[0]: a budget has a window or a period; write one of "
                "window: 1d and period: day"
            ),
        ),
        (
            text(budgets=(f"{{{BUDGET}, window: 1d, period: day}}",)),
            (
                "23: policies.partner.budgets[0]: a budget has a window or a period; write one of "
                "window: 1d and period: day"
            ),
        ),
        (
            text(budgets=(f"{{{BUDGET}, window: 1d, zone: Europe/Berlin}}",)),
            (
                "23: policies.partner.budgets[0].zone: a window is of no calendar; remove it, or "
                "write period: day"
            ),
        ),
        (
            text(budgets=(f"{{{BUDGET}, period: day, zone: Europe/Nowhere}}",)),
            (
                "23: policies.partner.budgets[0].zone: there is no time zone 'Europe/Nowhere'; "
                "write one such as Europe/Berlin"
            ),
        ),
        (
            text(budgets=("{name: a, per: tenant, count: concurrent, max: 1, window: 1d}",)),
            (
                "23: policies.partner.budgets[0].count: what is under way is given back, and is no "
                "budget; write it under limits"
            ),
        ),
        (
            text(budgets=(f"{{{BUDGET}, window: 1d, exhausted: {{fidelity: full}}}}",)),
            (
                "23: policies.partner.budgets[0].exhausted.fidelity: not below standard, the tier "
                "of the policy; add a lower tier to fidelities"
            ),
        ),
        (
            text("{name: a, per: tenant, count: tokens, max: 1, window: 1s}", more=(CHAT,)),
            (
                "22: policies.partner.limits[0].count: counts tokens, of which a request of POST "
                "/v1/embeddings may have any number written; say allow: {max_tokens: 4096} in the "
                "policy, or name other routes"
            ),
        ),
        (
            text(
                "{name: a, per: tenant, count: credits, max: 1, window: 1s}",
                more=(CHAT, ("tenants:", "credits: {output_token: 1}\ntenants:")),
            ),
            (
                "22: policies.partner.limits[0].count: counts credits, of which a request of POST "
                "/v1/embeddings may have any number written; say allow: {max_tokens: 4096} in the "
                "policy, or name other routes"
            ),
        ),
        (
            text("{name: a, per: tenant, count: bits, max: 1, window: 1s}", more=(CHAT,)),
            (
                "22: policies.partner.limits[0].count: bits of POST /v1/embeddings have no bound "
                "at standard; write on that route sizes: {tokens: 8192}, the most of one answer, "
                "or grant a max_tokens"
            ),
        ),
    ],
)
def test_a_limit_that_could_not_hold_is_an_error(tmp_path: Path, policy: str, message: str) -> None:
    assert told(tmp_path, policy) == message


def test_tokens_are_counted_where_what_is_written_has_an_end(tmp_path: Path) -> None:
    tokens = "{name: a, per: tenant, count: tokens, max: 1, window: 1s}"
    allow = ("fidelity: standard", "fidelity: standard\n    allow: {max_tokens: 9}")
    assert acme(tmp_path, text(tokens, more=(CHAT, allow))).reserved[0].unit == "tokens"
    other = tokens.replace("}", ', routes: ["* /v2/*"]}')
    with_models = ('["text-*"]', '["*"]')
    found = compiled(tmp_path, text(other, more=(CHAT, with_models)))
    assert found.policies["acme", "POST /v2/models/{model}/infer"].reserved[0].unit == "tokens"


def test_what_no_request_can_bound_the_route_must(tmp_path: Path) -> None:
    tokens = '{name: a, per: tenant, count: tokens, max: 1, window: 1s, routes: ["* /v1/*"]}'
    spoken = "dialect: openai_transcriptions"
    endless = text(tokens, more=((CHAT[0], f"{spoken}}}"),))
    assert told(tmp_path, endless).endswith("say sizes: {tokens: 4096} on the route")
    sized = text(tokens, more=((CHAT[0], f"{spoken}, sizes: {{tokens: 99}}}}"),))
    assert acme(tmp_path, sized).reserved[0].unit == "tokens"


def test_what_nobody_counts_is_not_measured(tmp_path: Path) -> None:
    assert acme(tmp_path, text(LIMIT)).information is None
    sized = ("dialect: openai_embeddings}", "dialect: openai_embeddings, sizes: {embedding: 8}}")
    full = ("standard:\n", "standard:\n    embedding: pass\n")
    bits = "{name: a, per: tenant, count: bits, kinds: [embedding], max: 1, window: 1s,"
    bits += ' routes: ["* /v1/*"]}'
    found = acme(tmp_path, text(bits, more=(sized, full)))
    assert found.information is not None
    assert found.reserved[0].kinds == {"embedding"}


@pytest.mark.parametrize(
    ("exhausted", "measured"), [("deny", False), ("{challenge: proof_of_work}", True)]
)
def test_what_is_paid_for_by_work_is_measured(
    tmp_path: Path, exhausted: str, *, measured: bool
) -> None:
    asked = "{name: b, per: tenant, count: queries, max: 1, window: 1d, exhausted: "
    found = acme(tmp_path, text(LIMIT, budgets=(f"{asked}{exhausted}}}",)))
    assert (found.information is not None) is measured


def test_what_answers_hold_is_found_out_while_the_file_is_loaded(tmp_path: Path) -> None:
    """And not while a request waits, and all others with it."""
    _remembered.cache_clear()
    table = compiled(tmp_path, text(f"{{{BUDGET}, window: 1d}}".replace("queries", "tokens")))
    before = _remembered.cache_info().misses
    assert table.policies["acme", "POST /v1/embeddings"].information is not None
    assert before > 0
    assert _remembered.cache_info().misses == before
