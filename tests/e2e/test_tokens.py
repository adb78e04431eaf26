"""Tokens of a real issuer through real Envoy: signed, opaque, and verified by Envoy itself."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
import yaml

from tests.e2e import bodies
from tests.e2e.gateway import KEYS, LiveGateway, live_gateway
from tests.e2e.upstream import Upstream, answering
from tests.issuer import AUDIENCE, EC, NAME, OTHER_EC, RSA, Issuer, confused, jwks, token

STRANGER = 'Bearer realm="extproc", error="invalid_token"'

ENVOYS = "https://envoy.example.com"
OPAQUE = "opaque-e2e-token-0123456789"
SECRET = "end-to-end-tests-only"

CREDENTIALS = f"""\
credentials:
  keys: {{kind: api_key}}
  signed:
    kind: jwt
    issuer: {NAME}
    audience: {AUDIENCE}
    jwks: "ISSUER/jwks"
    algorithms: [RS256, ES256]
    tenant: org
    strength: 2
    acr: {{gold: 3}}
  opaque:
    kind: introspection
    issuer: {NAME}
    url: "ISSUER/introspect"
    client_id: extproc
    client_secret: "file:client_secret"
    tenant: org
  envoys: {{kind: envoy_jwt, issuer: "{ENVOYS}", audience: "{AUDIENCE}", tenant: org}}
"""
STEP_UP = "dialect: openai_embeddings, credentials: {any_of: [signed], strength: 3}"


def now() -> float:
    return datetime.now(UTC).timestamp()


def made(*arguments: Any, lasting: float = 300, **claims: Any) -> str:
    """A token of the full tenant, valid now."""
    times = {"iat": now() - 5, "exp": now() + lasting}
    return token(*arguments, **{"org": "full", **times, **claims})


def with_jwt_authn(text: str) -> str:
    """Envoy verifies one issuer's tokens itself and passes all others on."""
    document = yaml.safe_load(text)
    chain = document["static_resources"]["listeners"][0]["filter_chains"][0]
    filters = chain["filters"][0]["typed_config"]["http_filters"]
    provider = {
        "issuer": ENVOYS,
        "audiences": [AUDIENCE],
        "local_jwks": {"inline_string": jwks(RSA).decode()},
        "forward": True,
        "payload_in_metadata": "jwt_payload",
    }
    requires = {
        "requires_any": {
            "requirements": [{"provider_name": "envoys"}, {"allow_missing_or_failed": {}}]
        }
    }
    config = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"envoys": provider},
        "rules": [{"match": {"prefix": "/"}, "requires": requires}],
    }
    filters.insert(0, {"name": "tokens", "typed_config": config})
    return yaml.safe_dump(document)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    active = {"active": True, "sub": "bob", "org": "full", "token_type": "Bearer"}
    with Issuer(keys=jwks(RSA, EC), known={OPAQUE: active}) as running:
        yield running


@pytest.fixture(scope="module")
def asked(
    issuer: Issuer, scripted: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "client_secret").write_text(SECRET)

    def policy(text: str) -> str:
        said = CREDENTIALS.replace("ISSUER", issuer.url)
        assert "dialect: openai_embeddings" in text
        return text.replace("routes:\n", f"{said}\nroutes:\n", 1).replace(
            "dialect: openai_embeddings", STEP_UP
        )

    with live_gateway(folder, scripted.port, policy=policy, bootstrap=with_jwt_authn) as gateway:
        yield gateway


@pytest.fixture
def ask(asked: LiveGateway, upstream: Upstream) -> Iterator[Callable[..., httpx.Response]]:
    upstream.script = answering(bodies.chat_answer())

    def post(value: str, path: str = bodies.CHAT, **more: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {value}", "content-type": "application/json", **more}
        with httpx.Client(base_url=asked.url, timeout=20) as client:
            return client.post(path, content=bodies.chat_request(), headers=headers)

    before = asked.fail_open_events()
    yield post
    assert asked.fail_open_events() == before


Ask = Callable[..., httpx.Response]


@pytest.mark.parametrize("chosen", [(RSA, "RS256"), (EC, "ES256")])
def test_a_token_is_let_in_and_goes_no_further(
    ask: Ask, upstream: Upstream, chosen: tuple[Any, str]
) -> None:
    value = made(*chosen)
    assert [ask(value).status_code for _ in range(2)] == [200, 200]
    assert len(upstream.requests) == 2
    assert value not in str(upstream.requests)


FORGED: dict[str, Callable[[], str]] = {
    "expired": lambda: made(lasting=-120),
    "not yet": lambda: made(nbf=now() + 120),
    "another audience": lambda: made(aud="https://other.example.com"),
    "another issuer": lambda: made(iss="https://other.example.com"),
    "no tenant": lambda: made(org=None),
    "another's tenant": lambda: made(org="nobody"),
    "another key": lambda: made(OTHER_EC, "ES256", {"kid": "ec-1"}),
    "the key of another id": lambda: made(RSA, "RS256", {"kid": "ec-1"}),
    "HMAC with the public key": lambda: confused(RSA),
    "none": lambda: made().rpartition(".")[0] + ".",
    "cut": lambda: made()[:-20],
    "too long": lambda: made(pad="x" * 9000),
    "bound to a key": lambda: made(cnf={"jkt": "x"}),
    "Envoy's, forged": lambda: made(OTHER_EC, "ES256", iss=ENVOYS),
    "Envoy's, for another": lambda: made(iss=ENVOYS, aud="https://other.example.com"),
    "Envoy's, without an end": lambda: made(iss=ENVOYS, exp=None),
}


def test_what_is_no_token_of_ours_is_refused_in_one_way(ask: Ask, upstream: Upstream) -> None:
    answers = {name: ask(forge()) for name, forge in FORGED.items()}
    wanted = ask("xk-unknown")
    for name, answer in answers.items():
        assert answer.status_code == 401, name
        assert answer.content == wanted.content, name
        assert answer.headers["www-authenticate"] == STRANGER, name
    assert upstream.requests == []


def test_two_tokens_are_none(asked: LiveGateway, ask: Ask, upstream: Upstream) -> None:
    twice = [("authorization", f"Bearer {made()}")] * 2
    with httpx.Client(base_url=asked.url, timeout=20) as client:
        headers = [*twice, ("content-type", "application/json")]
        answer = client.post(bodies.CHAT, content=bodies.chat_request(), headers=headers)
    assert answer.status_code == 401
    assert upstream.requests == []


def test_a_stronger_token_is_asked_for_where_the_route_wants_one(ask: Ask) -> None:
    weak = ask(made(), bodies.EMBEDDINGS)
    assert weak.status_code == 401
    challenge = 'error="insufficient_user_authentication", acr_values="gold"'
    assert weak.headers["www-authenticate"] == f'Bearer realm="extproc", {challenge}'
    assert ask(made(acr="gold"), bodies.EMBEDDINGS).status_code != 401
    assert ask(KEYS["full"], bodies.EMBEDDINGS).status_code == 401


def test_an_opaque_token_is_asked_about_once(ask: Ask, issuer: Issuer) -> None:
    assert [ask(OPAQUE).status_code for _ in range(3)] == [200] * 3
    known = issuer.asked["/introspect"]
    assert [ask("opaque-unknown-0123456789").status_code for _ in range(3)] == [401] * 3
    assert issuer.asked["/introspect"] == known + 1
    assert issuer.authorization.startswith("Basic ")


def test_an_issuer_that_is_down_is_503_and_tells_nothing(
    ask: Ask, issuer: Issuer, upstream: Upstream
) -> None:
    issuer.status = 500
    answer = ask("opaque-other-0123456789abc")
    issuer.status = 200
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert upstream.requests == []
    assert ask(made()).status_code == 200  # which needs nobody's word


def test_what_envoy_has_verified_is_believed(ask: Ask, upstream: Upstream) -> None:
    assert ask(made(iss=ENVOYS)).status_code == 200
    payload = orjson.dumps({"iss": ENVOYS, "sub": "eve", "org": "full", "exp": now() + 300})
    forged = {"jwt-payload": payload.decode(), "x-envoy-dynamic-metadata": payload.decode()}
    upstream.requests.clear()
    assert ask("xk-unknown", **forged).status_code == 401
    assert upstream.requests == []


def test_nothing_that_was_sent_is_in_the_log(asked: LiveGateway, ask: Ask) -> None:
    value = made()
    ask(value)
    ask(f"{value}x")
    log = "\n".join(asked.log)
    assert log != ""
    for secret in (value, value.split(".")[2], OPAQUE, SECRET):
        assert secret not in log
