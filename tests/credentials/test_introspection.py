from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.cause import Cause
from extproc.credentials import Introspection, Introspections, Needed, Proof
from extproc.events import CheckedRequest
from tests.credentials.test_claims import values
from tests.issuer import AUDIENCE, NAME, NOW

TOKEN = "opaque-token-0123456789"
ALICE = Proof(f"jwt:{NAME}|alice", 1)
ACTIVE = {"active": True, "sub": "alice"}


def prover(**more: Any) -> Introspections:
    settings = Introspection(
        issuer=NAME, url=f"{NAME}/ask", client_id="us", client_secret="env:SECRET", **more
    )
    return Introspections("tokens", settings, "s3cret", b"k" * 32, ["acme"])


def proven(
    value: str = TOKEN, tokens: Introspections | None = None, now: float = NOW
) -> Proof | Needed | None:
    request = CheckedRequest("POST", "/", {"authorization": f"Bearer {value}"})
    found = (tokens or prover()).prove(request, now)
    return None if isinstance(found, Cause) else found


def learned(answer: object, **more: Any) -> Introspections:
    tokens = prover(**more)
    tokens.learn(TOKEN, answer, NOW)
    return tokens


def test_the_issuer_is_asked_about_a_token_that_is_not_known() -> None:
    assert proven() == Needed("tokens", TOKEN)


@pytest.mark.parametrize(
    "value", ["short-token-015", "a" * 4097, "", "a token 0123456789", f"{TOKEN},{TOKEN}", "=" * 20]
)
def test_what_can_be_no_token_is_not_asked_about(value: str) -> None:
    assert proven(value) is None


def test_what_the_issuer_said_is_kept_for_a_while() -> None:
    tokens = learned(ACTIVE)
    assert [proven(tokens=tokens, now=NOW + later) for later in (0, 47)] == [ALICE] * 2
    assert proven(tokens=tokens, now=NOW + 60) == Needed("tokens", TOKEN)


def test_a_token_is_not_kept_longer_than_it_lasts() -> None:
    tokens = learned({**ACTIVE, "exp": NOW - 40})
    assert proven(tokens=tokens, now=NOW + 19) == ALICE
    assert proven(tokens=tokens, now=NOW + 20) == Needed("tokens", TOKEN)


@pytest.mark.parametrize(
    "answer",
    [
        {"active": False},
        {**ACTIVE, "active": False},
        {**ACTIVE, "active": "true"},
        {**ACTIVE, "active": 1},
        {"sub": "alice"},
        {"active": True},
        {**ACTIVE, "exp": NOW - 61},
        {**ACTIVE, "nbf": NOW + 61},
        {**ACTIVE, "iss": "https://other.example.com"},
        {**ACTIVE, "cnf": {"x5t#S256": "x"}},
        {**ACTIVE, "token_type": "DPoP"},
        {**ACTIVE, "token_type": 7},
        {},
        [],
        None,
        "active",
    ],
)
def test_that_a_token_is_none_is_kept_too_but_not_as_long(answer: object) -> None:
    tokens = learned(answer)
    assert [proven(tokens=tokens, now=NOW + later) for later in (0, 7.9)] == [None, None]
    assert proven(tokens=tokens, now=NOW + 10) == Needed("tokens", TOKEN)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "access_token", None])
def test_a_token_may_say_that_whoever_bears_it_may_use_it(kind: str | None) -> None:
    assert proven(tokens=learned({**ACTIVE, "token_type": kind})) == ALICE


def test_the_answer_names_tenant_scopes_and_audience() -> None:
    asked = {"tenant": "org", "audience": AUDIENCE}
    answer = {**ACTIVE, "iss": NAME, "org": "acme", "aud": [AUDIENCE], "scope": "a b"}
    found = proven(tokens=learned(answer, **asked))
    assert found == Proof(f"jwt:{NAME}|alice", 1, "acme", frozenset({"a", "b"}))
    assert proven(tokens=learned({**answer, "aud": "other"}, **asked)) is None
    assert proven(tokens=learned({**answer, "org": "beta"}, **asked)) is None


def test_answers_do_not_all_expire_at_once() -> None:
    tokens, ends = prover(), set[float]()
    for number in range(50):
        tokens.learn(f"{TOKEN}-{number}", ACTIVE, NOW)
        ends.add(tokens._answers._known[tokens.digest(f"{TOKEN}-{number}")][1])
    assert len(ends) > 25
    assert min(ends) >= NOW + 48
    assert max(ends) <= NOW + 60


def test_a_bounded_number_of_answers_is_kept() -> None:
    tokens = prover(max=2)
    for number in range(3):
        tokens.learn(f"{TOKEN}-{number}", ACTIVE, NOW)
    assert [isinstance(proven(f"{TOKEN}-{n}", tokens), Needed) for n in range(3)] == [
        True,
        False,
        False,
    ]


def test_nothing_that_is_kept_holds_the_token() -> None:
    tokens = learned(ACTIVE)
    assert TOKEN not in f"{vars(tokens)} {vars(tokens._answers)}"


def test_the_header_goes_no_further() -> None:
    assert Introspections.headers == ("authorization",)


@given(st.dictionaries(st.sampled_from(["active", "sub", "iss", "exp", "token_type"]), values))
def test_whatever_the_answer_is_nothing_is_raised(changes: dict[str, Any]) -> None:
    found = proven(tokens=learned({**ACTIVE, **changes}))
    assert found is None or isinstance(found, Proof)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"active": False}, Cause.TOKEN_INACTIVE),
        (["active"], Cause.TOKEN_INACTIVE),
        ({**ACTIVE, "token_type": "DPoP"}, Cause.TOKEN_BOUND),
        ({**ACTIVE, "exp": NOW - 100}, Cause.TOKEN_EXPIRED),
        ({**ACTIVE, "iss": "https://evil.example"}, Cause.TOKEN_ISSUER),
    ],
)
def test_the_record_is_told_why(answer: object, cause: Cause) -> None:
    tokens = prover()
    tokens.learn(TOKEN, answer, NOW)
    request = CheckedRequest("GET", "/", {"authorization": f"Bearer {TOKEN}"})
    assert tokens.prove(request, NOW) is cause
    assert tokens.prove(CheckedRequest("GET", "/", {}), NOW) is Cause.CREDENTIAL_MISSING
    short = CheckedRequest("GET", "/", {"authorization": "Bearer short"})
    assert tokens.prove(short, NOW) is Cause.TOKEN_MALFORMED


def of_another_policy(
    *tenants: str, secret: str = "s3cret", key: bytes = b"k" * 32, **more: Any
) -> Introspections:
    return Introspections("tokens", prover(**more).settings, secret, key, tenants)


def test_what_is_known_is_known_to_the_policy_that_follows() -> None:
    before, after = learned(ACTIVE), of_another_policy("acme", "globex")
    after.follow(before)
    assert proven(tokens=after) == ALICE


@pytest.mark.parametrize(
    "after",
    [
        of_another_policy("acme", secret="another"),
        of_another_policy("acme", key=b"l" * 32),
        of_another_policy("acme", strength=2),
    ],
)
def test_not_to_one_that_asks_in_another_way(after: Introspections) -> None:
    after.follow(learned(ACTIVE))
    assert proven(tokens=after) == Needed("tokens", TOKEN)


def test_who_belonged_to_a_tenant_that_is_gone_is_nobody_now() -> None:
    before, after = learned({**ACTIVE, "org": "acme"}, tenant="org"), prover(tenant="org")
    gone = of_another_policy("globex", tenant="org")
    for each in (after, gone):
        each.follow(before)
    assert proven(tokens=after) == Proof(ALICE.principal, 1, "acme")
    assert proven(tokens=gone) is None
