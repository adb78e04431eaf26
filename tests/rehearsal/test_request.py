from pathlib import Path

import pytest

from extproc.cause import Cause
from extproc.config import load
from extproc.credentials import Proof
from extproc.errors import ConfigError
from extproc.events import CheckedRequest
from extproc.rehearsal.request import (
    Assumed,
    Caller,
    assuming,
    checked,
    nobody,
    read_headers,
    with_type,
)
from tests.rehearsal.example import FILE, example, table

REQUEST = CheckedRequest("GET", "/", {})


def proofs(caller: Caller) -> dict[str, tuple[str, int]]:
    config = load(FILE)
    found = {}
    for name, prover in assuming(table(config), config, caller).provers.items():
        assert isinstance(prover, Assumed)
        proof = prover.prove(REQUEST, 0)
        assert isinstance(proof, Proof)
        found[name] = proof.tenant, proof.strength
    return found


def test_whoever_is_assumed_shows_the_strongest_there_is() -> None:
    assert proofs(Caller("acme")) == {"keys": ("acme", 2)}
    assert proofs(Caller("acme", ("keys",), 1)) == {"keys": ("acme", 1)}


def test_a_credential_that_is_not_named_is_not_shown(tmp_path: Path) -> None:
    config = example(tmp_path, ("{keys: {", "{other: {kind: api_key}, keys: {"))
    found = assuming(table(config), config, Caller("acme", ("other",)))
    shown = {name: prover.prove(REQUEST, 0) for name, prover in found.provers.items()}
    assert shown["keys"] is Cause.CREDENTIAL_MISSING
    assert isinstance(shown["other"], Proof)


def test_of_a_stranger_nothing_is_proven() -> None:
    found = nobody(table(load(FILE)))
    proven = [prover.prove(REQUEST, 0) for prover in found.provers.values()]
    assert proven == [Cause.CREDENTIAL_MISSING]
    assert found.credential_headers == table(load(FILE)).credential_headers


@pytest.mark.parametrize(
    ("caller", "wrong"),
    [
        (Caller("acm"), "there is no tenant 'acm'; did you mean 'acme'?"),
        (Caller("acme", ("key",)), "there is no credential 'key'; did you mean 'keys'?"),
    ],
)
def test_nobody_can_be_assumed_who_is_not_there(caller: Caller, wrong: str) -> None:
    config = load(FILE)
    with pytest.raises(ConfigError) as caught:
        assuming(table(config), config, caller)
    assert str(caught.value) == wrong
    with pytest.raises(ConfigError) as caught:
        assuming(table(config), config, caller, (config.document, ("listen",)))
    assert str(caught.value) == f"{FILE}:3: listen: {wrong}"


def test_a_request_is_a_method_and_a_path() -> None:
    assert checked(" POST /v1/x?a=b ", {"a": "b"}) == CheckedRequest(
        "POST", "/v1/x?a=b", {"a": "b"}
    )


@pytest.mark.parametrize("line", ["", "POST", "/v1/x", "post /v1/x", "POST v1/x", "POST /a /b"])
def test_what_is_no_request_is_told(line: str) -> None:
    with pytest.raises(ConfigError, match="is no request; write it as"):
        checked(line, {})


def test_a_body_is_json_unless_it_says_otherwise() -> None:
    assert with_type({}, None) == with_type({}, b"{}") == {"content-type": "application/json"}
    assert with_type({"content-type": "text/csv"}, b"a") == {"content-type": "text/csv"}
    assert with_type({}, b"") == {}


def test_header_fields_are_read_and_credentials_are_not() -> None:
    assert read_headers(["Accept: a:b", "x:"], ()) == {"accept": "a:b", "x": ""}
    with pytest.raises(ConfigError, match="the header field x-api-key is a credential") as caught:
        read_headers(["X-Api-Key: s3cret"], ("x-api-key",))
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ConfigError, match="is no header field"):
        read_headers(["accept"], ())
