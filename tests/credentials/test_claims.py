from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.cause import Cause
from extproc.credentials import Proof
from extproc.credentials.claims import Proven, TokenSettings, Trust
from tests.credentials.proving import proven_by
from tests.issuer import AUDIENCE, CLAIMS, NAME, NOW

SETTINGS = TokenSettings(issuer=NAME, audience=AUDIENCE, strength=2, skew="60s")


def proven(settings: TokenSettings = SETTINGS, now: float = NOW, **claims: Any) -> Proven | None:
    """A claim of None is left out."""
    said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return proven_by(Trust(settings, ["acme", "beta"]).proven(said, now))


def proof(settings: TokenSettings = SETTINGS, **claims: Any) -> Proof | None:
    found = proven(settings, **claims)
    return found.proof if found else None


def test_the_subject_of_an_issuer_is_the_principal() -> None:
    assert proven() == Proven(Proof(f"jwt:{NAME}|alice", 2), NOW + 360)


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"exp": NOW - 59}, True),
        ({"exp": NOW - 60}, False),
        ({"exp": None}, False),
        ({"exp": True}, False),
        ({"exp": str(NOW + 60)}, False),
        ({"exp": float("inf")}, False),
        ({"exp": float("nan")}, False),
        ({"exp": 10**300}, False),
        ({"exp": -1}, False),
        ({"nbf": NOW + 60}, True),
        ({"nbf": NOW + 61}, False),
        ({"nbf": "0"}, False),
        ({"iat": NOW + 60}, True),
        ({"iat": NOW + 61}, False),
        ({"iat": False}, False),
        ({"iat": None}, True),
        ({"iat": NOW - 10**9}, True),
    ],
)
def test_now_lies_between_the_times_of_a_token_give_or_take_the_skew(
    claims: dict[str, Any], *, good: bool
) -> None:
    assert (proof(**claims) is not None) == good


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": None},
        {"iss": f"{NAME}/"},
        {"iss": NAME.upper()},
        {"iss": [NAME]},
        {"aud": None},
        {"aud": "https://elsewhere.example.com"},
        {"aud": [f"{AUDIENCE}/", 7]},
        {"aud": []},
        {"aud": {AUDIENCE: 1}},
        {"aud": [AUDIENCE] * 257},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a" * 256},
        {"sub": "line\nbreak"},
        {"sub": "älice"},
        {"cnf": {"jkt": "x"}},
    ],
)
def test_a_token_of_another_or_for_another_or_bound_to_a_key_proves_nothing(
    claims: dict[str, Any],
) -> None:
    assert proof(**claims) is None


@pytest.mark.parametrize("claims", [None, [], "x", 7, {}])
def test_what_is_no_claims_proves_nothing(claims: object) -> None:
    assert proven_by(Trust(SETTINGS, []).proven(claims, NOW)) is None


def test_one_of_several_audiences_is_enough() -> None:
    several = TokenSettings(issuer=NAME, audience=("a", "b"))
    assert proof(several, aud=["x", "b"]) is not None
    assert proof(several, aud="a") is not None
    assert proof(several, aud=["x"]) is None
    assert proof(TokenSettings(issuer=NAME), aud=None) is not None


def test_a_claim_names_the_tenant_where_the_policy_says_which() -> None:
    naming = TokenSettings(issuer=NAME, tenant="https://example.com/org")
    found = proof(naming, **{"https://example.com/org": "beta"})
    assert found is not None
    assert found.tenant == "beta"
    for other in ("gamma", "", None, ["acme"], 7):
        assert proof(naming, **{"https://example.com/org": other}) is None
    unnamed = proof(tenant="beta", org="beta")
    assert unnamed is not None
    assert unnamed.tenant == ""


@pytest.mark.parametrize(
    ("value", "scopes"),
    [
        ("models:read chat", {"models:read", "chat"}),
        ("  chat ", {"chat"}),
        (["models:read", "chat", 7, ""], {"models:read", "chat"}),
        ("", set()),
        (None, set()),
        (7, set()),
        ({"chat": 1}, set()),
        ("a " * 300, set()),
        (["a"] * 257, set()),
    ],
)
def test_scopes_are_text_or_a_list(value: object, scopes: set[str]) -> None:
    found = proof(scope=value)
    assert found is not None
    assert found.scopes == scopes
    listed = proof(TokenSettings(issuer=NAME, scopes="scp"), scp=value, scope="other")
    assert listed is not None
    assert listed.scopes == scopes


@pytest.mark.parametrize(
    ("acr", "strength"),
    [("gold", 5), ("weak", 1), ("other", 2), (None, 2), (["gold"], 2), ({"gold": 1}, 2)],
)
def test_how_the_owner_was_authenticated_says_how_strong_a_token_is(
    acr: object, strength: int
) -> None:
    ranked = TokenSettings(issuer=NAME, strength=2, acr={"gold": 5, "weak": 1})
    found = proof(ranked, acr=acr)
    assert found is not None
    assert found.strength == strength


def test_claims_without_an_end_are_good_only_where_the_issuer_was_just_asked() -> None:
    trust = Trust(SETTINGS, [])
    endless = {name: value for name, value in CLAIMS.items() if name != "exp"}
    asked = proven_by(trust.proven(endless, NOW, expiring=False))
    assert asked is not None
    assert asked.until == float("inf")
    assert trust.proven({**endless, "exp": NOW - 60}, NOW, expiring=False) is Cause.TOKEN_EXPIRED
    assert trust.proven({**endless, "exp": None}, NOW, expiring=False) is Cause.TOKEN_CLAIMS


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*CLAIMS, "nbf", "acr", "scope", "org", "cnf"]), values))
def test_whatever_the_claims_are_nothing_is_raised(changes: dict[str, Any]) -> None:
    settings = TokenSettings(issuer=NAME, audience=AUDIENCE, tenant="org", acr={"gold": 3})
    found = proven_by(Trust(settings, ["acme"]).proven({**CLAIMS, "org": "acme", **changes}, NOW))
    if found is not None:
        assert found.proof.principal.startswith(f"jwt:{NAME}|")
        assert found.proof.tenant == "acme"
        assert found.until > NOW


@pytest.mark.parametrize(
    ("claims", "cause"),
    [
        ({"exp": NOW - 60}, Cause.TOKEN_EXPIRED),
        ({"iat": NOW + 61}, Cause.TOKEN_EARLY),
        ({"exp": "soon"}, Cause.TOKEN_CLAIMS),
        ({"nbf": True}, Cause.TOKEN_CLAIMS),
        ({"iss": "https://evil.example"}, Cause.TOKEN_ISSUER),
        ({"aud": ["x"]}, Cause.TOKEN_AUDIENCE),
        ({"sub": 7}, Cause.TOKEN_CLAIMS),
        ({"cnf": {}}, Cause.TOKEN_BOUND),
        ({"org": "nobody"}, Cause.TOKEN_TENANT),
    ],
)
def test_the_record_is_told_why(claims: dict[str, Any], cause: Cause) -> None:
    trust = Trust(TokenSettings(issuer=NAME, audience=AUDIENCE, tenant="org"), ["acme"])
    assert trust.proven({**CLAIMS, "org": "acme", **claims}, NOW) is cause
    assert trust.proven([CLAIMS], NOW) is Cause.TOKEN_CLAIMS
