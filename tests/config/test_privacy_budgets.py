"""What is no budget of privacy is refused; what promises less than it seems is told."""

from pathlib import Path

import pytest

from extproc.config import compile_table, load
from extproc.config.privacy_budgets import doubts
from extproc.errors import ConfigError
from tests.config.example import ENVIRON
from tests.privacy.ledger import BUDGET, GAUSSIAN, GUMBEL, text

REDIS = 'store: {kind: redis, url: "env:HMAC", on_failure: FAILURE}'


def refused(folder: Path, policy: str) -> str:
    path = folder / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        compile_table(load(path), ENVIRON)
    return str(caught.value).removeprefix(f"{path}:").partition(": ")[2]


def budget(*changes: tuple[str, str]) -> str:
    changed = BUDGET
    for old, new in changes:
        assert old in changed
        changed = changed.replace(old, new)
    return changed


PLACE = "policies.own.budgets[0]"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            [("per: tenant", "per: tenant, period: day")],
            (
                ".period: what was told stays told: a budget of privacy that comes back promises "
                "nothing; remove it, or write period: lifetime"
            ),
        ),
        (
            [("per: tenant", "per: tenant, window: 30d")],
            (
                ".window: what was told stays told: a budget of privacy that comes back promises "
                "nothing; remove it, or write period: lifetime"
            ),
        ),
        (
            [("epsilon: 2, ", "")],
            ": privacy is promised without epsilon; write epsilon: 2, delta: 1e-5",
        ),
        (
            [(", delta: 1e-5", "")],
            ": privacy is promised without delta; write epsilon: 2, delta: 1e-5",
        ),
        (
            [("per: tenant", "per: tenant, max: 9")],
            ".max: how much a budget of privacy has follows from epsilon and delta; remove it",
        ),
        (
            [("1e-5", "1e-16")],
            (
                ".epsilon: not a promise: delta is below 1, at least 1e-15, and above 2**-70 * "
                "e**epsilon; write such as epsilon: 2, delta: 1e-5"
            ),
        ),
        (
            [("epsilon: 2", "epsilon: 1e-10"), ("1e-5", "0")],
            (
                ".epsilon: not a promise: there is room for nothing; write such as epsilon: 2, "
                "delta: 1e-5"
            ),
        ),
        *(
            (
                [("per: tenant", f"per: tenant, exhausted: {{{action}}}")],
                (
                    ".exhausted: whoever does something for it learns no less: privacy is not "
                    "sold; write exhausted: deny, or {fidelity: TIER}"
                ),
            )
            for action in (
                "challenge: proof_of_work",
                "throttle: {max: 1, window: 1m}",
                "acr: [strong]",
            )
        ),
        (
            [("count: privacy", "count: requests, max: 9, period: day")],
            (
                ".epsilon: of privacy alone, and this counts requests; remove it, or write count: "
                "privacy"
            ),
        ),
        (
            [("count: privacy, epsilon: 2, delta: 1e-5", "count: requests, period: day")],
            ": a budget has a max; write max: 10000",
        ),
        (
            [("per: tenant", "per: tenant, kinds: [score]")],
            (
                ": nothing would count against it: no tier answers privately what it counts; put "
                "noisy_max, or another private mutator, into a tier; or remove it"
            ),
        ),
    ],
)
def test_what_promises_nothing_is_refused(
    tmp_path: Path, changes: list[tuple[str, str]], sentence: str
) -> None:
    assert refused(tmp_path, text(budget(*changes))) == f"{PLACE}{sentence}"


@pytest.mark.parametrize(
    "policy",
    [
        text().replace(f"private: {{votes: [{GAUSSIAN}]}}", "private: {votes: pass}"),
        text().replace("fidelity: private", "fidelity: silent"),
        text(budget(("tenant", "tenant, routes: [POST /other]"))).replace(
            "routes:\n", "routes:\n  - {path: /other, dialect: tei_embed}\n"
        ),
    ],
    ids=["no noise", "another tier", "another route"],
)
def test_a_budget_that_nothing_is_charged_to_is_refused(tmp_path: Path, policy: str) -> None:
    """Though other policies, tiers or routes of the file would spend of it."""
    told = ": nothing would count against it: no tier answers privately what it counts"
    assert refused(tmp_path, policy).startswith(PLACE + told)


def test_a_limit_counts_no_privacy(tmp_path: Path) -> None:
    limits = text().replace("budgets: [", "limits: [")
    assert refused(tmp_path, limits).startswith("policies.own.limits[0]")


def test_normal_noise_has_no_epsilon_at_a_delta_of_0(tmp_path: Path) -> None:
    assert refused(tmp_path, text(budget(("1e-5", "0")))) == (
        "fidelities.private.votes[0]: what noisy_max tells has no epsilon at a delta of 0, which "
        "digits says; give the budget a delta, or use another noise"
    )


def test_one_answer_costs_no_more_than_there_is(tmp_path: Path) -> None:
    sharp = GAUSSIAN.replace("scale: 40", "scale: 2")
    assert refused(tmp_path, text(mechanism=sharp)) == (
        "fidelities.private.votes[0]: one answer costs more than all that digits has; add noise, "
        "or give the budget more"
    )


def test_what_an_answer_may_hold_any_number_of_cannot_be_paid_for(tmp_path: Path) -> None:
    laplace = "score: [{kind: discrete_laplace, epsilon: 0.1, low: 0, high: 1, step: 0.1}]"
    scores = text().replace("{kind: votes, teachers: 250, classes: [ape, bee, cat]}", "SCORES")
    scores = scores.replace("SCORES", "{kind: hf_pipeline, task: classification}")
    scores = scores.replace("SCORES", "{kind: seldon_v1, output: score}")
    for old in (f"votes: [{GAUSSIAN}]", "votes: [{kind: noisy_max, noise: gaussian, scale: 400}]"):
        scores = scores.replace(old, laplace)
    seldon = scores.replace(
        "{kind: hf_pipeline, task: classification}", "{kind: seldon_v1, output: score}"
    )
    seldon = seldon.replace("path: /votes", 'path: "/{model}/api/v1.0/predictions"')
    assert refused(tmp_path, seldon) == (
        f"{PLACE}.count: digits counts score, and POST /{{model}}/api/v1.0/predictions has any "
        "number in an answer; write sizes: {score: 1} there"
    )


MANY = "{name: many, count: queries, max: 9, period: day, per: tenant, exhausted: OPEN}"
KSERVE = "{kind: kserve_v2, teachers: 250, outputs: {v: votes, p: probabilities}}"


@pytest.mark.parametrize("of", ["privacy", "queries", "both"])
@pytest.mark.parametrize(
    ("dialect", "tier", "kind"),
    [
        ("{kind: votes, teachers: 250}", "{votes: pass}", "votes"),
        (KSERVE, "{votes: pass}", "votes"),
        (KSERVE, "{probabilities: [{kind: label_only}]}", "probabilities"),
    ],
)
def test_nobody_is_lowered_to_a_tier_that_tells_what_noise_has_hidden(
    tmp_path: Path, of: str, dialect: str, tier: str, kind: str
) -> None:
    """Whatever lowers him, and though another tier lies between."""
    own = budget(("per: tenant", "per: tenant, exhausted: {fidelity: open}"))
    budgets = {
        "privacy": own,
        "queries": f"{BUDGET}, {MANY.replace('OPEN', '{fidelity: open}')}",
        "both": f"{own}, {MANY.replace('OPEN', '{fidelity: rough}')}",
    }
    votes = "{kind: votes, teachers: 250, classes: [ape, bee, cat]}"
    policy = text(budgets[of]).replace(votes, dialect)
    policy = policy.replace("  silent: {}", f"  silent: {{}}\n  open: {tier}")
    policy = policy.replace("/votes,", '"/v2/models/{model}/infer",')
    assert refused(tmp_path, policy) == (
        f"fidelities.open.{kind}: POST /v2/models/{{model}}/infer is lowered to this, which tells "
        f"what noisy_max hid; leave {kind} out of open, or lower to another tier"
    )


def test_whoever_is_suspected_is_not_told_more(tmp_path: Path) -> None:
    policy = text(more="detection: {reference: none}\n")
    policy = policy.replace("  silent: {}", "  silent: {}\n  open: {votes: pass}")
    steps = "escalation: [{above: 0.5, for: 1h, fidelity: open}]"
    policy = policy.replace("fidelity: private,", f"fidelity: private, {steps},")
    assert refused(tmp_path, policy).startswith("fidelities.open.votes: POST /votes is lowered to")


def test_nobody_counts_beside_the_store(tmp_path: Path) -> None:
    local = text().replace("store: {kind: memory}", REDIS.replace("FAILURE", "{local: 0.1}"))
    assert refused(tmp_path, local) == (
        "store.on_failure: each replica would spend of digits by itself while it is away; write "
        "on_failure: deny"
    )


def doubted(folder: Path, policy: str) -> list[str]:
    path = folder / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    config = load(path)
    return [*doubts(config.settings, compile_table(config, ENVIRON))]


FORGETS = "budgets of privacy are counted in memory, and a restart gives them back whole"
UNCOUNTED = (
    "policies.own: POST /votes answers votes privately, and no budget with count: privacy says "
    "how much in all"
)


def test_what_promises_less_than_it_seems_is_told(tmp_path: Path) -> None:
    kept = text().replace("store: {kind: memory}", REDIS.replace("FAILURE", "deny"))
    other = "{name: a, count: requests, per: tenant, max: 9, period: day}"
    assert doubted(tmp_path, text()) == [FORGETS]
    assert doubted(tmp_path, kept) == []
    assert doubted(tmp_path, text(other)) == [UNCOUNTED]
    assert doubted(tmp_path, text(budget(("1e-5", "0")), GUMBEL)) == [FORGETS]
    some = budget(("tenant", "tenant, models: [zoo, zoo-*]"))
    assert doubted(tmp_path, text(some)) == [FORGETS, UNCOUNTED]
    assert doubted(tmp_path, text(some).replace('models: ["*"]', "models: [zoo, zoo-2]")) == [
        FORGETS
    ]
