"""Names of credentials, and that a route can be reached with one of them."""

from pathlib import Path

import pytest
from msgspec import structs

from extproc.cause import Cause
from extproc.config import compile_table
from extproc.config.key_file import encoded
from extproc.credentials import ANY, EnvoyJwts, Introspections, Proof, Requirement
from extproc.credentials.envoy_jwt import NAMESPACE
from extproc.errors import ConfigError
from extproc.events import CheckedRequest
from extproc.policy import PolicyTable
from tests.config.example import ENVIRON, changed, compiled, loaded
from tests.config.scale import hashed
from tests.config.test_key_file import KEY

ROUTE = "dialect: openai_embeddings"


def asking(requirement: str, credentials: str = "{keys: {kind: api_key, strength: 2}}") -> str:
    return changed(
        ("routes:\n", f"credentials: {credentials}\nroutes:\n"),
        (ROUTE, f"{ROUTE}, credentials: {requirement}"),
    )


def test_api_keys_are_what_callers_have_where_nothing_else_is_said(tmp_path: Path) -> None:
    table = compiled(tmp_path)
    assert [*table.provers] == ["keys"]
    assert table.credential_headers == ("authorization", "x-api-key", "api-key", "x-goog-api-key")
    assert all(route.requirement == ANY for route in table.routes)


def test_a_route_names_what_it_asks_for(tmp_path: Path) -> None:
    table = compiled(tmp_path, asking("{any_of: [keys], strength: 2}"))
    assert table.routes[0].requirement == Requirement(("keys",), strength=2)


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        (
            "{any_of: [key]}",
            "routes[0].credentials.any_of[0]: there is no credential 'key'; did you mean 'keys'?",
        ),
        (
            "{all_of: [keys, mesh]}",
            "routes[0].credentials.all_of[1]: there is no credential 'mesh'; write keys",
        ),
        (
            "{strength: 3}",
            "no credential of this route is stronger than 2; lower it, or name a stronger one",
        ),
    ],
)
def test_a_route_that_nobody_could_ask_is_refused(
    tmp_path: Path, requirement: str, message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(tmp_path, asking(requirement))
    assert str(raised.value).endswith(message)
    assert ":7: " in str(raised.value) or ":8: " in str(raised.value)


KEYS = "{keys: {kind: api_key, file: keys.jsonl}}"


def keyed(credentials: str = KEYS) -> str:
    return changed(("routes:\n", f"credentials: {credentials}\nroutes:\n"))


def test_a_key_file_that_cannot_be_read_is_told_by_who_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(tmp_path, keyed())
    wrong = f"{tmp_path}/keys.jsonl cannot be read (No such file or directory)"
    remedy = "make a key with: extproc keys new --tenant NAME"
    place = f"{tmp_path}/policy.yaml:6: credentials.keys.file"
    assert str(raised.value) == f"{place}: {wrong}; {remedy}"


def test_a_key_file_that_is_none_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "keys.jsonl").mkdir()
    with pytest.raises(ConfigError) as raised:
        compiled(tmp_path, keyed())
    wrong = "cannot be read (Is a directory); let whoever runs the sidecar read it"
    assert str(raised.value).endswith(f"{tmp_path}/keys.jsonl {wrong}")


def test_another_key_file_makes_another_table(tmp_path: Path) -> None:
    path = tmp_path / "keys.jsonl"
    path.write_bytes(encoded(KEY))
    version = compiled(tmp_path, keyed()).version
    assert compiled(tmp_path, keyed()).version == version
    path.write_bytes(encoded(structs.replace(KEY, revoked=KEY.created)))
    assert compiled(tmp_path, keyed()).version != version


def test_a_file_is_bounded_and_knows_what_the_policy_lists(tmp_path: Path) -> None:
    path = tmp_path / "keys.jsonl"
    path.write_bytes(encoded(KEY) + encoded(structs.replace(KEY, id="k2", hash="a" * 64)))
    for credentials, message in (
        ("{keys: {kind: api_key, file: keys.jsonl, max_keys: 1}}", "more than 1 keys"),
        (KEYS, "hash: listed in the policy too"),
    ):
        with pytest.raises(ConfigError) as raised:
            compiled(tmp_path, keyed(credentials))
        assert str(raised.value).startswith(f"{path}:2: {message}")


def test_every_credential_has_its_own_file_and_strength(tmp_path: Path) -> None:
    for name in ("low", "high"):
        line = structs.replace(KEY, id=name, hash=hashed(f"xk-{name}"))
        (tmp_path / f"{name}.jsonl").write_bytes(encoded(line))
    table = compiled(
        tmp_path,
        keyed(
            "{low: {kind: api_key, file: low.jsonl}, "
            "high: {kind: api_key, file: high.jsonl, strength: 3}}"
        ),
    )
    for name, strength in (("low", 1), ("high", 3)):
        request = CheckedRequest("POST", "/", {"x-api-key": f"xk-{name}"})
        proven = {each: prover.prove(request, 0.0) for each, prover in table.provers.items()}
        assert proven.pop(name) == Proof(f"key:{name}", strength, "acme")
        assert [*proven.values()] == [Cause.KEY_UNKNOWN]


JWT = "{kind: jwt, issuer: i, audience: a, jwks: 'https://i', algorithms: [RS256], strength: 2"
OPAQUE = "{kind: introspection, issuer: i, url: 'https://i', client_id: us, client_secret: env:S"


def test_a_route_asks_for_what_makes_a_token_strong_enough(tmp_path: Path) -> None:
    ranked = f"{{tokens: {JWT}, acr: {{bronze: 1, silver: 4, gold: 5}}}}}}"
    asked = compiled(tmp_path, asking("{strength: 4}", ranked))
    assert asked.routes[0].requirement == Requirement(strength=4, acr_values=("silver", "gold"))
    either = f"{{keys: {{kind: api_key}}, tokens: {JWT}, acr: {{silver: 4}}}}}}"
    asked = compiled(tmp_path, asking("{any_of: [tokens], strength: 3}", either))
    assert asked.routes[0].requirement.acr_values == ("silver",)
    with pytest.raises(ConfigError, match="stronger than 1"):
        compiled(tmp_path, asking("{any_of: [keys], strength: 2}", either))


def test_the_secret_by_which_an_issuer_knows_us_may_be_short(tmp_path: Path) -> None:
    text = asking("{}", f"{{tokens: {OPAQUE}}}}}")
    prover = compile_table(loaded(tmp_path, text), {**ENVIRON, "S": "short"}).provers["tokens"]
    assert isinstance(prover, Introspections)
    assert prover.secret == "short"
    for missing in ({}, {"S": ""}):
        with pytest.raises(ConfigError, match="client_secret: the "):
            compile_table(loaded(tmp_path, text), {**ENVIRON, **missing})


def test_only_a_policy_that_believes_envoy_reads_its_metadata(tmp_path: Path) -> None:
    believing = compiled(tmp_path, asking("{}", "{mesh: {kind: envoy_jwt, issuer: i}}"))
    assert isinstance(believing.provers["mesh"], EnvoyJwts)
    assert believing.namespaces == (NAMESPACE,)
    assert compiled(tmp_path).namespaces == ()


@pytest.mark.parametrize(
    ("credential", "message"),
    [
        (JWT.replace("RS256", "HS256"), "credentials.x.algorithms[0]: unknown name 'HS256'"),
        (JWT.replace("RS256", "none"), "credentials.x.algorithms[0]: unknown name 'none'"),
        (JWT.replace("[RS256]", "[]"), "credentials.x.algorithms: wrong number of items"),
        (JWT.replace("audience: a, ", ""), "credentials.x.audience: missing"),
        (JWT.replace("audience: a", "audience: []"), "credentials.x.audience: "),
        (JWT.replace("https://i", "http://i"), "credentials.x.jwks: malformed; write file:PATH"),
        (JWT.replace("https://i", "http://localhost@i"), "credentials.x.jwks: malformed"),
        (JWT.replace("https://i", "http://localhost:1@i"), "credentials.x.jwks: malformed"),
        (JWT.replace("https://i", "http://localhost.evil/"), "credentials.x.jwks: malformed"),
        (JWT.replace("https://i", "https://us:pw@i"), "credentials.x.jwks: malformed"),
        (JWT.replace("issuer: i", "issuer: 'i|j'"), "credentials.x.issuer: malformed"),
        (f"{JWT}, acr: {{'a b': 1}}", "credentials.x.acr.a b: malformed name; write a value of"),
        (f"{JWT}, skew: 60", "credentials.x.skew: is a whole number"),
        (OPAQUE.replace("https://i", "http://i"), "credentials.x.url: malformed"),
        (OPAQUE.replace("env:S", "s3cret"), "credentials.x.client_secret: malformed"),
    ],
)
def test_what_could_not_be_trusted_is_refused(
    tmp_path: Path, credential: str, message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(tmp_path, asking("{}", f"{{x: {credential}}}}}"))
    assert f"policy.yaml:6: {message}" in str(raised.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080/jwks"])
def test_on_this_machine_an_issuer_needs_no_certificate(tmp_path: Path, host: str) -> None:
    compiled(tmp_path, asking("{}", f"{{x: {JWT.replace('https://i', f'http://{host}')}}}}}"))


def test_a_subject_of_an_issuer_may_be_listed(tmp_path: Path) -> None:
    text = changed((f"key:{'a' * 64}", "jwt:https://login.example.com|auth0|alice smith"))
    assert compiled(tmp_path, text).tenants["jwt:https://login.example.com|auth0|alice smith"]


@pytest.mark.parametrize("other", [f"{JWT}}}", f"{OPAQUE}}}"])
def test_a_key_and_a_token_need_a_field_each(tmp_path: Path, other: str) -> None:
    def together(key: str) -> PolicyTable:
        credentials = f"{{keys: {key}, tokens: {other}}}"
        text = asking("{all_of: [keys, tokens]}", credentials)
        return compile_table(loaded(tmp_path, text), {**ENVIRON, "S": "secret"})

    with pytest.raises(ConfigError) as raised:
        together("{kind: api_key}")
    assert "credentials.all_of[0]: a request has one authorization, and 'keys' looks there" in str(
        raised.value
    )
    assert "write headers: [x-api-key] at credentials.keys" in str(raised.value)
    asked = together("{kind: api_key, headers: [x-api-key, api-key]}")
    assert asked.routes[0].requirement == Requirement(all_of=("keys", "tokens"))


@pytest.mark.parametrize("headers", ["[]", "[cookie]", "[Authorization]"])
def test_keys_are_looked_for_in_known_fields(tmp_path: Path, headers: str) -> None:
    with pytest.raises(ConfigError, match=r"credentials\.keys\.headers"):
        compiled(tmp_path, asking("{}", f"{{keys: {{kind: api_key, headers: {headers}}}}}"))
