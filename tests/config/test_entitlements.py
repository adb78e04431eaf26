"""Which routes a policy has, what holds on them, and which lines could make no difference.

That what is compiled is what the file says, for every combination, is a law: see
tests/laws/test_authorization_matrix.py.
"""

from pathlib import Path

import pytest

from extproc.entitlement import ALL, Entitlement
from extproc.errors import ConfigError
from extproc.policy import Policy, PolicyTable
from tests.config.example import changed, compiled

ROUTES = """\
credentials: {keys: {kind: api_key, strength: 2}}
routes:
  - {path: /v1/chat/completions, dialect: openai_chat}
"""
POLICY = '    models: ["text-*"]\n    fidelity: standard\n'
CHAT = "POST /v1/chat/completions"


def with_policy(lines: str, *, high: bool = False) -> str:
    """The example with a chat route, and more lines in the policy of acme."""
    text = changed(("routes:\n", ROUTES), (POLICY, f"{POLICY}{lines}"))
    risky = "openai_embeddings, risk: high"
    return text.replace("openai_embeddings", risky) if high else text


def of(table: PolicyTable, route: str = CHAT) -> Policy:
    return table.policies["acme", route]


def routes(table: PolicyTable, tenant: str = "acme") -> list[str]:
    return [route for owner, route in table.policies if owner == tenant]


def test_a_file_that_says_nothing_grants_everything_as_before(tmp_path: Path) -> None:
    table = compiled(tmp_path)
    assert len(table.policies) == 6
    for policy in table.policies.values():
        assert policy.exceptions == ()
        assert policy.terms.entitlement == ALL


def test_a_policy_has_the_routes_it_names(tmp_path: Path) -> None:
    table = compiled(tmp_path, with_policy('    routes: ["GET *", "POST /v1/*"]\n'))
    assert routes(table) == [CHAT, "POST /v1/embeddings", "GET /v2/health/ready"]
    assert len(routes(table, "beta")) == 4


def test_a_route_of_high_risk_has_to_be_named(tmp_path: Path) -> None:
    table = compiled(tmp_path, with_policy('    high_risk: ["POST /v1/emb*"]\n', high=True))
    assert "POST /v1/embeddings" in routes(table)
    assert "POST /v1/embeddings" not in routes(table, "beta")


def test_features_are_granted_up_to_what_is_said(tmp_path: Path) -> None:
    line = "{streaming: false, tools: false, batch: 4, choices: 1, max_tokens: 9}"
    table = compiled(tmp_path, with_policy(f"    allow: {line}\n"))
    granted = Entitlement(streaming=False, tools=False, batch=4, choices=1, max_tokens=9)
    assert of(table).terms.entitlement == granted


def test_an_exception_for_a_route_replaces_what_it_names(tmp_path: Path) -> None:
    lines = """\
    allow: {tools: false, batch: 4}
    exceptions:
      - {routes: ["POST /v1/chat/*"], fidelity: full, allow: {batch: 2}}
"""
    table = compiled(tmp_path, with_policy(lines))
    assert of(table).fidelity.name == "full"
    assert of(table).terms.entitlement == Entitlement(tools=False, batch=2)
    other = of(table, "POST /v1/embeddings")
    assert (other.fidelity.name, other.terms.entitlement.batch) == ("standard", 4)


def test_an_exception_for_a_model_stands_beside_the_policys_own(tmp_path: Path) -> None:
    lines = """\
    exceptions:
      - {models: [text-a, "text-b*"], fidelity: full}
      - {routes: ["POST /v1/chat/*"], models: [text-c], deny: true}
"""
    table = compiled(tmp_path, with_policy(lines))
    policy = of(table)
    assert policy.of("text-x") is policy
    low = policy.of("text-b1")
    assert low is not None
    assert (low.fidelity.name, low.route) == ("full", policy.route)
    assert policy.of("text-c") is None
    assert of(table, "POST /v1/embeddings").permits("text-c")


def test_a_route_may_be_denied_whole(tmp_path: Path) -> None:
    lines = '    exceptions: [{routes: ["POST /v1/chat/*"], deny: true}]\n'
    assert CHAT not in routes(compiled(tmp_path, with_policy(lines)))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            '    routes: ["GET *", "POST /v3/*"]\n',
            (
                "routes[1]: fits no route of the policy; write one of POST /v1/chat/completions, "
                "POST /v1/embeddings, POST /v2/models/{model}/infer, GET /v2/health/ready"
            ),
        ),
        (
            '    high_risk: ["POST /v1/chat/*"]\n',
            (
                "high_risk[0]: fits no route of the policy that is of high risk; "
                "write POST /v1/embeddings"
            ),
        ),
        (
            '    routes: ["GET *"]\n    high_risk: ["*"]\n',
            (
                "high_risk[0]: fits no route of the policy that is of high risk; "
                "write risk: high at the route, or remove it"
            ),
        ),
        (
            '    routes: ["POST /v1/embeddings"]\n',
            (
                "high_risk: the policy has no route: those it names are of high risk, and not "
                "granted; name them there too"
            ),
        ),
        (
            '    routes: ["GET *"]\n    exceptions: [{routes: ["POST *"], fidelity: full}]\n',
            "exceptions[0].routes[0]: fits no route of the policy; write GET /v2/health/ready",
        ),
        (
            "    exceptions: [{models: [digits], fidelity: full}]\n",
            (
                "exceptions[0].models[0]: the policy has no model 'digits'; "
                "name it in the policy's models too"
            ),
        ),
        (
            "    exceptions: [{fidelity: full}, {models: [text-a], fidelity: full}]\n",
            (
                "exceptions[1]: never reached: those above hold for all models of its routes; "
                "move it up, or remove it"
            ),
        ),
        (
            "    exceptions: [{fidelity: ful}]\n",
            "exceptions[0].fidelity: there is no fidelity 'ful'; did you mean 'full'?",
        ),
        (
            '    routes: ["GET *"]\n    allow: {tools: true}\n',
            "allow.tools: no request of these routes can ask for it; remove it",
        ),
        (
            '    routes: ["POST /v2/*"]\n    allow: {max_tokens: 9}\n',
            "allow.max_tokens: no request of these routes can ask for it; remove it",
        ),
        (
            '    routes: ["POST /v2/*"]\n    allow: {streaming: true}\n',
            "allow.streaming: no request of these routes can ask for it; remove it",
        ),
        (
            '    exceptions: [{routes: ["POST /v2/*"], allow: {choices: 2}}]\n',
            "exceptions[0].allow.choices: no request of these routes can ask for it; remove it",
        ),
    ],
)
def test_a_line_that_could_make_no_difference_is_an_error(
    tmp_path: Path, lines: str, told: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(tmp_path, with_policy(lines, high=True))
    assert f": policies.partner.{told}" in str(raised.value)


def test_what_is_not_granted_may_be_said_where_nothing_could_ask_for_it(tmp_path: Path) -> None:
    lines = '    routes: ["GET *"]\n    allow: {tools: false, streaming: false, batch: 1}\n'
    granted = of(compiled(tmp_path, with_policy(lines)), "GET /v2/health/ready")
    assert not granted.terms.entitlement.tools
