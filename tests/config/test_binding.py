"""What a team might write to get around an override without touching it."""

from pathlib import Path

import pytest

from extproc.config.settings import Settings
from extproc.entitlement import Entitlement
from extproc.errors import ConfigError
from tests.config.example import TEXT, changed
from tests.config.overlaying import bound, table

CHAT = "  - {path: /v1/chat/completions, dialect: openai_chat}\nfidelities:"


def settings(folder: Path, base: str, text: str) -> Settings:
    return bound(folder, base, text).settings


def partner(*lines: str) -> str:
    """The policy file with more lines in one of its policies, and a route for chat."""
    written = "".join(f"    {line}\n" for line in lines)
    return changed(("fidelities:", CHAT), ("  partner:\n", f"  partner:\n{written}"))


@pytest.mark.parametrize(
    "exceptions",
    [
        "[{fidelity: full}]",
        '[{routes: ["POST /v1/*"], fidelity: full}]',
        "[{models: [text-a], fidelity: full}, {models: [text-b], fidelity: full}]",
    ],
)
def test_no_exception_raises_the_tier_that_an_override_says(
    tmp_path: Path, exceptions: str
) -> None:
    text = partner(f"exceptions: {exceptions}")
    found = table(tmp_path, "overrides: {policies: {'*': {fidelity: standard}}}", text)
    for policy in found.policies.values():
        tiers = {policy.fidelity.name}
        tiers |= {other.fidelity.name for _, other in policy.exceptions if other is not None}
        assert tiers == {"standard"}


def test_no_exception_grants_a_feature_that_an_override_denies(tmp_path: Path) -> None:
    text = partner("exceptions: [{models: [text-a], allow: {tools: true, max_tokens: 9}}]")
    base = "overrides: {policies: {'*': {allow: {tools: false}}}}"
    found = table(tmp_path, base, text)
    policy = found.policies["acme", "POST /v1/chat/completions"].of("text-a")
    assert policy is not None
    assert policy.terms.entitlement == Entitlement(tools=False, max_tokens=9)


def test_an_exception_may_still_deny(tmp_path: Path) -> None:
    text = partner("exceptions: [{models: [text-a], deny: true, fidelity: full}]")
    found = table(tmp_path, "overrides: {policies: {'*': {fidelity: standard}}}", text)
    assert found.policies["acme", "POST /v1/chat/completions"].of("text-a") is None


def test_exceptions_of_the_overrides_hold_as_they_are(tmp_path: Path) -> None:
    base = """
    overrides:
      policies:
        "*": {fidelity: standard}
        partner: {exceptions: [{models: [text-a], fidelity: full}]}
    """
    found = settings(tmp_path, base, partner("exceptions: [{fidelity: full}]"))
    (exception,) = found.policies["partner"].exceptions
    assert (exception.models, exception.fidelity) == (("text-a",), "full")


def test_a_policy_of_another_name_is_bound_too(tmp_path: Path) -> None:
    text = TEXT.replace(
        "  partner:", "  free: {models: ['*'], fidelity: full, mode: shadow}\n  partner:"
    )
    text = text.replace("policy: partner", "policy: free")
    base = "overrides: {policies: {'*': {mode: enforce, fidelity: standard}}}"
    found = table(tmp_path, base, text)
    assert {policy.shadow for policy in found.policies.values()} == {False}
    assert {policy.fidelity.name for policy in found.policies.values()} == {"standard"}


def test_a_second_tenant_with_a_policy_of_its_own_is_bound_too(tmp_path: Path) -> None:
    text = TEXT + f"  more: {{policy: trial, principals: ['key:{'c' * 64}']}}\n"
    found = table(tmp_path, "overrides: {tenants: {'*': {policy: partner}}}", text)
    assert found.policies["more", "POST /v1/embeddings"].models == ("text-*",)


def test_a_tier_of_another_name_shows_no_raw_tensor(tmp_path: Path) -> None:
    text = TEXT.replace("  full:", "  raw: {tensor: pass, logprobs: pass, text: pass}\n  full:")
    text = text.replace('["*"], fidelity: full', '["*"], fidelity: raw')
    base = """
    overrides:
      fidelities: {"*": {tensor: [{kind: drop}], logprobs: [{kind: drop}]}}
    """
    found = table(tmp_path, base, text)
    assert all("tensor" not in policy.fidelity.mutators for policy in found.policies.values())
    assert all("logprobs" not in policy.fidelity.mutators for policy in found.policies.values())


@pytest.mark.parametrize("shape", ["timing: {grid: %s}", "length: {buckets: %s}"])
def test_no_policy_has_a_shape_of_its_own_where_an_override_says_the_files(
    tmp_path: Path, shape: str
) -> None:
    whole, own = ("200ms", "50ms") if "grid" in shape else ("4096", "256")
    text = TEXT.replace("  - {path: /v2/health/ready, method: GET, dialect: status}\n", "")
    text = text.replace("  partner:\n", f"  partner:\n    {shape % own}\n")
    config = bound(tmp_path, f"overrides: {{{shape % whole}}}", text)
    assert config.settings.policies["partner"].timing is None
    assert config.settings.policies["partner"].length is None
    name = shape.partition(":")[0]
    assert [each.place for each in config.document.overruled] == [("policies", "partner", name)]


def test_a_policys_shape_of_the_overrides_holds_beside_the_files(tmp_path: Path) -> None:
    base = "overrides: {timing: {grid: 1s}, policies: {partner: {timing: {grid: 2s}}}}"
    found = settings(tmp_path, base, TEXT)
    assert found.policies["partner"].timing is not None
    assert found.policies["partner"].timing.grid == "2s"


@pytest.mark.parametrize(("strength", "left"), [(0, None), (1, None), (3, 3)])
def test_no_route_that_an_override_calls_risky_takes_a_weak_credential(
    tmp_path: Path, strength: int, left: int | None
) -> None:
    own = f"dialect: openai_embeddings, credentials: {{strength: {strength}}}"
    text = changed(("dialect: openai_embeddings", own))
    base = "overrides: {routes: {openai_embeddings: {risk: high}}}"
    assert settings(tmp_path, base, text).routes[0].credentials.strength == left


def test_the_strength_that_the_overrides_say_beside_the_risk_holds(tmp_path: Path) -> None:
    base = "overrides: {routes: {openai_embeddings: {risk: high, credentials: {strength: 1}}}}"
    assert settings(tmp_path, base, TEXT).routes[0].credentials.strength == 1


def test_a_route_of_no_risk_keeps_what_it_asks_for(tmp_path: Path) -> None:
    own = "dialect: openai_embeddings, risk: high, credentials: {strength: 1}"
    text = changed(("dialect: openai_embeddings", own))
    assert settings(tmp_path, "", text).routes[0].credentials.strength == 1
    base = "overrides: {routes: {openai_embeddings: {risk: normal}}}"
    assert settings(tmp_path, base, text).routes[0].credentials.strength == 1


TOKENS = """
credentials:
  tokens:
    kind: jwt
    issuer: https://i.example
    audience: a
    jwks: https://i.example/keys
    algorithms: [RS256]
    strength: 9
    acr: {high: 8}
"""


def test_no_credential_calls_itself_stronger_than_an_override_says(tmp_path: Path) -> None:
    base = "overrides: {credentials: {'*': {strength: 1}}}"
    found = settings(tmp_path, base, TEXT + TOKENS).credentials["tokens"]
    assert (found.strength, found.acr) == (1, {})  # type: ignore[union-attr]
    base = "overrides: {credentials: {'*': {strength: 1, acr: {high: 2}}}}"
    found = settings(tmp_path, base, TEXT + TOKENS).credentials["tokens"]
    assert found.acr == {"high": 8} | {"high": 2}  # type: ignore[union-attr]


def test_no_credential_of_a_teams_own_opens_a_route_that_takes_the_platforms(
    tmp_path: Path,
) -> None:
    base = """
    overrides:
      credentials: {corporate: {kind: api_key, strength: 2}}
      routes: {"*": {credentials: {any_of: [corporate]}}}
    """
    own = "dialect: openai_embeddings, credentials: {any_of: [mine]}"
    text = changed(("dialect: openai_embeddings", own)) + "credentials: {mine: {kind: api_key}}\n"
    found = table(tmp_path, base, text)
    assert {route.requirement.any_of for route in found.routes} == {("corporate",)}


@pytest.mark.parametrize("name", ["partner2", "other"])
def test_a_policy_that_is_renamed_does_not_leave_its_override_behind(
    tmp_path: Path, name: str
) -> None:
    text = TEXT.replace("  partner:", f"  {name}:").replace("policy: partner", f"policy: {name}")
    with pytest.raises(ConfigError, match=r"base\.yaml:2: policies\.partner\.models: missing"):
        table(tmp_path, "overrides: {policies: {partner: {mode: enforce}}}", text)


def test_a_route_is_hidden_from_policies_that_grant_themselves_high_risk(tmp_path: Path) -> None:
    text = partner('high_risk: ["POST /v1/embeddings"]')
    base = """
    overrides:
      credentials: {"*": {strength: 2}}
      policies: {"*": {high_risk: []}}
      routes: {"POST /v1/embeddings": {risk: high}}
    """
    found = table(tmp_path, base, text)
    assert ("acme", "POST /v1/embeddings") not in found.policies
    assert ("acme", "POST /v1/chat/completions") in found.policies


def test_an_override_that_leaves_a_policy_nothing_is_an_error(tmp_path: Path) -> None:
    base = """
    overrides:
      credentials: {"*": {strength: 2}}
      routes: {"*": {risk: high}}
    """
    with pytest.raises(ConfigError, match=r"policies\.trial\.high_risk: the policy has no route"):
        table(tmp_path, base)


def test_features_of_both_kinds_of_override_bind_exceptions(tmp_path: Path) -> None:
    text = partner("exceptions: [{allow: {tools: true, max_tokens: 9, batch: 3}}]")
    base = """
    overrides:
      policies:
        "*": {allow: {tools: false}}
        partner: {allow: {max_tokens: 5}}
    """
    (exception,) = settings(tmp_path, base, text).policies["partner"].exceptions
    assert (exception.allow.tools, exception.allow.max_tokens, exception.allow.batch) == (
        None,
        None,
        3,
    )


ESCALATION = """
overrides:
  detection: {reference: none}
  policies: {%s: {escalation: [{above: 0.9, deny: true, for: 1h}]%s}}
"""
EXEMPT = TEXT.replace("{policy: partner, ", "{policy: partner, exempt: true, ")


@pytest.mark.parametrize(
    ("policies", "more", "exempt"),
    [("'*'", "", False), ("partner", "", False), ("trial", "", True)],
)
def test_nobody_is_exempt_from_steps_that_an_override_names(
    tmp_path: Path, policies: str, more: str, exempt: bool
) -> None:
    found = bound(tmp_path, ESCALATION % (policies, more), EXEMPT)
    assert found.settings.tenants["acme"].exempt is exempt
    aside = [each.place for each in found.document.overruled]
    assert (("tenants", "acme", "exempt") in aside) is not exempt


def test_but_by_the_overrides(tmp_path: Path) -> None:
    base = ESCALATION % ("'*'", "") + "  tenants: {acme: {exempt: true}}\n"
    assert settings(tmp_path, base, EXEMPT).tenants["acme"].exempt is True


def test_nor_are_so_few_put_on_them_that_it_makes_no_difference(tmp_path: Path) -> None:
    text = partner("escalations_per_hour: 1")
    for more, most in (("", 10), (", escalations_per_hour: 5", 5)):
        found = settings(tmp_path, ESCALATION % ("'*'", more), text)
        assert found.policies["partner"].escalations_per_hour == most
    assert settings(tmp_path, "overrides: {}", text).policies["partner"].escalations_per_hour == 1


def test_what_is_no_tenant_is_left_for_whoever_reads_it(tmp_path: Path) -> None:
    text = TEXT.replace("acme: {policy: partner", "acme: {exempt: true, policy: [partner]")
    with pytest.raises(ConfigError, match=r"tenants\.acme\.policy: is a list; write a name"):
        settings(tmp_path, ESCALATION % ("'*'", ""), text)
