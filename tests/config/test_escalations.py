from pathlib import Path

import pytest

from extproc.config.escalations import prices, tiers
from extproc.errors import ConfigError
from extproc.escalation import NO_STEPS, Ladder
from extproc.limits import SECOND, Rate
from extproc.limits.exhaustion import DENY, PER_SECOND, Challenge, Lower, Throttle
from extproc.policy import Policy, PolicyTable
from tests.config.example import TEXT, changed, compiled

INFER = "POST /v2/models/{model}/infer"
DETECTION = "detection: {reference: none}\n"
LOWER = "  coarse: {text: pass}\n  labels: {text: pass}\n"
STEPS = """\
    escalation:
      - {above: 0.5, throttle: {max: 2, window: 10s}, for: 30m}
      - {above: 0.7, fidelity: coarse, for: 1h}
      - {above: 0.9, challenge: proof_of_work, for: 1h}
      - {above: 0.97, deny: true, for: 24h}
"""
LINE = TEXT.count("\n", 0, TEXT.index("tenants:\n")) + 4
"""Of ``escalation``: three more stand above it."""


def text(steps: str = STEPS, detection: str = DETECTION, policy: str = "") -> str:
    return changed(
        ("routes:\n", f"{detection}routes:\n"),
        ("policies:\n", f"{LOWER}policies:\n"),
        ("tenants:\n", f"{policy}{steps}tenants:\n"),
    )


def ladder(folder: Path, written: str, route: str = INFER, tenant: str = "acme") -> Ladder:
    return of(compiled(folder, written), route, tenant).ladder


def of(table: PolicyTable, route: str = INFER, tenant: str = "acme") -> Policy:
    return table.policies[tenant, route]


def test_each_step_is_a_limit_of_which_nothing_is_left(tmp_path: Path) -> None:
    found = ladder(tmp_path, text())
    assert [(step.name, step.above, step.seconds) for step in found.steps] == [
        ("throttle", 0.5, 1800),
        ("fidelity", 0.7, 3600),
        ("challenge", 0.9, 3600),
        ("deny", 0.97, 86_400),
    ]
    assert [step.limit.exhausted for step in found.steps] == [
        Throttle(Rate("escalation:0:throttle/10s", 2, 10 * SECOND)),
        Lower("coarse"),
        Challenge(PER_SECOND // 4, 2 * PER_SECOND, 64),
        DENY,
    ]
    assert (found.hourly, found.policy, found.shadow, found.lost) == (10, "partner", False, None)
    assert len({step.limit.rule.name for step in found.steps}) == 4
    assert (tiers(found), prices(found), prices(NO_STEPS)) == ({"coarse"}, True, False)


def test_a_policy_can_be_lowered_to_the_tiers_of_its_steps_and_prices_work(tmp_path: Path) -> None:
    lowered = of(compiled(tmp_path, text()))
    assert [*lowered.lower] == ["coarse"]
    assert lowered.lower["coarse"].ladder == lowered.ladder
    assert lowered.information is not None
    assert of(compiled(tmp_path, text(""))).information is None


def test_who_is_exempt_has_no_steps_and_is_looked_at_all_the_same(tmp_path: Path) -> None:
    exempt = text().replace("{policy: partner, ", "{policy: partner, exempt: true, ")
    found = of(compiled(tmp_path, exempt))
    assert (found.ladder, found.exempt, found.watched) == (NO_STEPS, True, True)
    other = of(compiled(tmp_path, text()), tenant="beta")
    assert (other.ladder, other.exempt, other.watched) == (Ladder(), False, True)
    assert not of(compiled(tmp_path, TEXT)).watched


def test_callers_are_of_a_kind(tmp_path: Path) -> None:
    found = of(compiled(tmp_path, text(policy="    traffic: batch\n    escalations_per_hour: 3\n")))
    assert (found.traffic, found.ladder.hourly) == ("batch", 3)
    assert of(compiled(tmp_path, text())).traffic == "user"


def test_whom_suspicion_is_of_is_whom_a_step_counts(tmp_path: Path) -> None:
    by_principal = text(detection="detection: {reference: none, per: principal}\n")
    assert {step.limit.per for step in ladder(tmp_path, by_principal).steps} == {
        ("tenant", "principal")
    }
    assert {step.limit.per for step in ladder(tmp_path, text()).steps} == {("tenant",)}


def test_on_trial_the_ladder_says_so(tmp_path: Path) -> None:
    assert ladder(tmp_path, text(detection=DETECTION.replace("none", "none, mode: shadow"))).shadow


BUDGETS = """\
    budgets:
      - {name: hourly, per: tenant, count: queries, max: 9, window: 1h}
      - {name: daily, per: tenant, count: queries, max: 9, period: day}
      - {name: once, per: tenant, count: queries, max: 9, period: lifetime}
      - {name: band, per: cohort, count: queries, max: 9, period: month}
      - {name: some, per: tenant, count: queries, max: 9, period: month, models: [text-x]}
      - {name: less, per: tenant, count: queries, max: 9, window: 1d, exhausted: {fidelity: coarse}}
      - {name: least, per: tenant, count: queries, max: 9, window: 1d,
         exhausted: {fidelity: labels}}
      - {name: work, per: tenant, count: queries, max: 9, window: 1d,
         exhausted: {challenge: proof_of_work}}
"""


@pytest.mark.parametrize(
    ("budgets", "faces", "early"),
    [
        (
            BUDGETS,
            ["burst", "less", "work", "daily"],
            [True, False, False, False],
        ),
        ("", ["burst", None, None, "burst"], [True, False, False, True]),
    ],
)
def test_a_step_is_told_as_the_longest_limit_that_would_do_the_same(
    tmp_path: Path, budgets: str, faces: list[str | None], early: list[bool]
) -> None:
    steps = ladder(tmp_path, text(policy=budgets)).steps
    assert [step.face and step.face.name for step in steps] == faces
    assert [step.early for step in steps] == early


def test_without_limits_a_step_is_told_as_none(tmp_path: Path) -> None:
    burst = "{name: burst, per: principal, count: requests, max: 20, window: 1s}"
    alone = text().replace(burst, "{name: flight, per: tenant, count: concurrent, max: 2}")
    steps = ladder(tmp_path, alone).steps
    assert [step.face for step in steps] == [None] * 4
    assert [step.early for step in steps] == [True, False, False, True]


def test_what_meets_the_unknown_after_a_loss_lowers_those_above_it(tmp_path: Path) -> None:
    lost = "detection: {reference: none, on_loss: {fidelity: standard}}\n"
    table = compiled(tmp_path, text(detection=lost))
    above = of(table, tenant="beta").ladder.lost
    assert above is not None
    assert (above.limit.exhausted, above.early) == (Lower("standard"), False)
    assert [*of(table, tenant="beta").lower] == ["standard"]
    assert [*of(table).lower] == ["coarse"], "is there already"


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        (
            "{above: 0.7, fidelity: coarse,",
            "{above: 0.5, fidelity: coarse,",
            "escalation[1].above",
            "not above 0.5, from which on the step before holds; put the milder step first",
        ),
        (
            "fidelity: coarse, for",
            "fidelity: full, for",
            "escalation[1].fidelity",
            "not below standard, the tier before it; write one of coarse, labels",
        ),
        (
            "fidelity: coarse, for",
            "fidelity: corse, for",
            "escalation[1].fidelity",
            "no such tier under fidelities; did you mean 'coarse'?",
        ),
        (
            "{above: 0.9, challenge: proof_of_work, for: 1h}",
            "{above: 0.9, fidelity: coarse, for: 1h}",
            "escalation[2].fidelity",
            "not below coarse, the tier before it; write labels",
        ),
        (
            "{above: 0.9, challenge: proof_of_work, for: 1h}",
            "{above: 0.9, deny: true, for: 1h}",
            "escalation[3]",
            "never reached: the step before denies; remove it",
        ),
        (
            "deny: true, for: 24h",
            "for: 24h",
            "escalation[3]",
            "says not what it does; write one of throttle, fidelity, challenge, deny",
        ),
        (
            "deny: true, for: 24h",
            "deny: true, fidelity: labels, for: 24h",
            "escalation[3]",
            "does fidelity and deny; write one of throttle, fidelity, challenge, deny",
        ),
        (
            "challenge: proof_of_work",
            "challenge: {kind: proof_of_work, least: 1s, most: 20s}",
            "escalation[2].challenge.most",
            "is too long; write at most 10s",
        ),
        (
            "above: 0.97",
            "above: 1",
            "escalation[3].above",
            "out of range; write a number above 0 and below 1",
        ),
        (", for: 24h", "", "escalation[3].for", "missing; add a duration such as 250ms"),
        ("for: 24h", "for: ever", "escalation[3].for", "malformed; write a duration such as"),
    ],
)
def test_a_step_that_could_not_act_is_an_error_at_its_line(
    tmp_path: Path, old: str, new: str, place: str, told: str
) -> None:
    written = text()
    assert written.count(old) == 1
    with pytest.raises(ConfigError) as error:
        compiled(tmp_path, written.replace(old, new))
    where, _, what = str(error.value).partition(": ")
    assert what.startswith(f"policies.partner.{place}: {told}")
    index = int(place[len("escalation[")])
    assert where == f"{tmp_path}/policy.yaml:{LINE + index + 1}"


def test_a_tier_that_lowers_no_answer_of_the_policy_is_an_error(tmp_path: Path) -> None:
    exceptions = "    exceptions: [{fidelity: labels}]\n"
    with pytest.raises(ConfigError, match=r"escalation\[1\].fidelity: lowers nothing: no answer"):
        compiled(tmp_path, text(policy=exceptions))


def test_the_lowest_tier_has_none_below(tmp_path: Path) -> None:
    written = text().replace("fidelity: standard\n", "fidelity: labels\n")
    with pytest.raises(ConfigError, match=r"not below labels.*; add a lower tier to fidelities"):
        compiled(tmp_path, written)


@pytest.mark.parametrize(
    ("more", "place"),
    [
        (STEPS, "policies.partner.escalation"),
        ("    traffic: batch\n", "policies.partner.traffic"),
        ("    escalations_per_hour: 3\n", "policies.partner.escalations_per_hour"),
    ],
)
def test_where_nobody_looks_nothing_can_be_escalated(tmp_path: Path, more: str, place: str) -> None:
    with pytest.raises(ConfigError) as error:
        compiled(tmp_path, text(more, detection=""))
    assert f": {place}: nobody looks at how callers ask; add detection: {{refer" in str(error.value)


def test_nor_is_anybody_exempt_from_it(tmp_path: Path) -> None:
    written = TEXT.replace("{policy: partner, ", "{policy: partner, exempt: true, ")
    with pytest.raises(ConfigError, match=r"tenants.acme.exempt: nobody looks at how callers ask"):
        compiled(tmp_path, written)


def test_how_often_is_asked_only_of_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"escalations_per_hour: the policy has no steps of esc"):
        compiled(tmp_path, text("", policy="    escalations_per_hour: 3\n"))


def test_no_steps_at_all_are_none(tmp_path: Path) -> None:
    assert ladder(tmp_path, text("    escalation: []\n", detection="")) == NO_STEPS


def test_after_a_loss_answers_are_of_a_tier_there_is(tmp_path: Path) -> None:
    lost = "detection: {reference: none, on_loss: {fidelity: corse}}\n"
    with pytest.raises(ConfigError, match=r"detection.on_loss.fidelity: no such tier.*'coarse'\?"):
        compiled(tmp_path, text(detection=lost))


def test_no_exception_of_a_policy_is_raised_by_a_step(tmp_path: Path) -> None:
    exceptions = "    exceptions: [{models: [text-low], fidelity: labels}]\n"
    found = of(compiled(tmp_path, text(policy=exceptions)))
    low = found.of("text-low")
    assert low is not None
    assert (low.fidelity.name, low.lower, low.lowest({"coarse"})) == ("labels", {}, None)
    assert low.ladder == found.ladder
    usual = found.lowest({"coarse"})
    assert usual is not None
    assert usual.fidelity.name == "coarse"
