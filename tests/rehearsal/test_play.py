from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.config import Config, load
from extproc.credentials import Needed
from extproc.credentials.api_key import principal
from extproc.events import CheckedRequest, ResponseHeaders
from extproc.rehearsal.play import Played, answer, play
from extproc.rehearsal.request import Caller, assuming, checked
from extproc.rehearsal.stand_ins import SECRET
from tests.playbook import ANSWER, EVENT, LAST, LEAKY, REDUCED
from tests.rehearsal.example import CHAT, EMBEDDINGS, FILE, NOW, chat, example, played, table

CONFIG = load(FILE)
JSON = {":status": "200", "content-type": "application/json"}


def test_a_request_that_goes_on_is_known_with_what_goes_on() -> None:
    found = played(CONFIG, CHAT, chat())
    assert found.goes_on
    assert found.tenant == "acme"
    assert found.asked is not None
    assert orjson.loads(found.asked.body)["max_tokens"] == 512
    assert found.policy is not None
    assert found.policy.fidelity.name == "standard"


def test_a_denial_is_answered_as_it_would_be() -> None:
    found = played(CONFIG, "GET /nowhere", b"")
    assert (found.goes_on, found.tenant) == (False, "acme")
    assert found.reply is not None
    assert found.reply.status == 404
    assert orjson.loads(found.reply.body)["error"]["code"] == "not_found"


def test_a_body_that_is_refused_is_answered_as_it_would_be() -> None:
    found = played(CONFIG, CHAT, chat(tools=[{"type": "function"}]))
    assert found.reply is not None
    assert found.reply.status == 403
    assert found.refusal is not None
    assert found.refusal.code == "feature_not_available"


def test_without_a_body_the_model_is_still_known_or_not() -> None:
    assert played(CONFIG, CHAT).goes_on
    assert played(CONFIG, CHAT, model="text-a").goes_on
    found = played(CONFIG, CHAT, model="other")
    assert found.reply is not None
    assert found.reply.status == 404


def test_on_trial_a_refusal_is_known_and_the_request_goes_on(tmp_path: Path) -> None:
    config = example(tmp_path, ("  partner:\n", "  partner:\n    mode: shadow\n"))
    for found in (
        played(config, CHAT, chat(tools=[{"type": "function"}])),
        played(config, CHAT, model="other"),
    ):
        assert found.goes_on
        assert found.refusal is not None
        assert found.reply is None


def test_what_only_an_issuer_knows_is_not_decided(tmp_path: Path) -> None:
    tokens = (
        "{kind: introspection, issuer: 'https://i.example', url: 'https://i.example/x', "
        "client_id: a, client_secret: 'env:S', strength: 2}"
    )
    changes = ("{keys: {kind: api_key, strength: 2}}", f"{{t: {tokens}}}"), (", risk: high", "")
    high = ('    high_risk: ["POST /v1/embeddings"]\n', "")
    config = example(tmp_path, *changes, high)
    request = CheckedRequest(
        "POST", "/v1/chat/completions", {"authorization": f"Bearer {20 * chr(97)}"}
    )
    found = play(table(config), request, b"", NOW)
    assert isinstance(found.decision, Needed)
    assert (found.goes_on, found.tenant) == (False, "")


def went_on(**more: Any) -> Played:
    found = played(CONFIG, CHAT, chat(**more))
    assert found.machine is not None
    return found


def test_an_answer_is_rewritten_as_it_would_be() -> None:
    machine = went_on().machine
    assert machine is not None
    found = answer(machine, ResponseHeaders(200, JSON, end=False), LEAKY)
    assert (found.status, found.body, found.cut) == (
        200,
        REDUCED.replace(b'"m"', b'"text-a"'),
        False,
    )
    assert found.headers["content-type"] == "application/json"


def test_a_stream_is_rewritten_and_cut_where_it_would_be() -> None:
    headers = ResponseHeaders(200, {**JSON, "content-type": "text/event-stream"}, end=False)
    whole, broken = went_on(stream=True).machine, went_on(stream=True).machine
    assert whole is not None
    assert broken is not None
    assert answer(whole, headers, EVENT + LAST).body.endswith(LAST)
    assert b"bad_gateway" in answer(broken, headers, b"data: 7").body


def test_a_document_that_breaks_off_after_it_began_is_cut() -> None:
    machine = went_on().machine
    assert machine is not None
    long = b'{"id":"c","choices":[' + b'{"index":1},' * 30_000
    assert answer(machine, ResponseHeaders(200, JSON, end=False), long).cut


def test_an_error_of_the_model_server_is_answered_as_it_would_be() -> None:
    machine = went_on().machine
    assert machine is not None
    found = answer(machine, ResponseHeaders(500, {**JSON, ":status": "500"}, end=False), b"s3cret")
    assert found.status == 500
    assert b"s3cret" not in found.body


def test_an_answer_without_a_body_has_none() -> None:
    machine = went_on().machine
    assert machine is not None
    assert answer(machine, ResponseHeaders(200, JSON, end=True), b"").body == b""


def test_health_has_a_body_of_ours(tmp_path: Path) -> None:
    route = "routes:\n  - {path: /health, method: GET, dialect: status}\n"
    config = example(tmp_path, ("routes:\n", route))
    machine = played(config, "GET /health", b"").machine
    assert machine is not None
    assert answer(machine, ResponseHeaders(200, JSON, end=False), ANSWER).body == b""


KEYS = {"acme": "acme-key", "newcomer": "newcomer-key"}
lines = st.sampled_from([CHAT, EMBEDDINGS, "GET /v1/embeddings", "POST /no", f"{CHAT}?x=1"])
bodies = st.sampled_from([chat(), chat("no"), chat(n=2), b"{", b'{"model":"text-a","input":"a"}'])


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The tenants with keys that are known here."""
    found = {name: principal({"x-api-key": key}, SECRET.encode()) for name, key in KEYS.items()}
    changes = (("key:" + "a" * 64, str(found["acme"])), ("key:" + "b" * 64, str(found["newcomer"])))
    return example(tmp_path_factory.mktemp("keyed"), *changes)


@given(line=lines, body=bodies, tenant=st.sampled_from(["acme", "newcomer"]))
def test_who_is_assumed_is_answered_as_who_is_proven(
    keyed: Config, line: str, body: bytes, tenant: str
) -> None:
    """The law: nothing depends on how it is known who asks."""
    plain, headers = table(keyed), {"content-type": "application/json"}
    key = {**headers, "x-api-key": KEYS[tenant]}
    real = play(plain, checked(line, key), body, NOW)
    assumed = play(assuming(plain, keyed, Caller(tenant)), checked(line, headers), body, NOW)
    assert real.tenant == assumed.tenant == tenant
    assert (real.reply, real.refusal, real.asked) == (
        assumed.reply,
        assumed.refusal,
        assumed.asked,
    )
