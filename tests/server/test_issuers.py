"""The issuers of a policy, from its provers to the answer about a token."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from extproc.credentials import Introspection, Introspections, Jwt, Jwts, Needed
from extproc.errors import IssuerUnavailable
from extproc.server import issuers as starting
from extproc.server.issuers import Issuers
from extproc.server.record import Records
from extproc.server.tables import nobody
from tests.credentials.test_introspection import ALICE, TOKEN, proven
from tests.issuer import AUDIENCE, EC, NAME, Issuer, jwks
from tests.playbook import policy, table
from tests.server.wire import until


@pytest.fixture
def issuer() -> Any:
    with Issuer(keys=jwks(EC), known={TOKEN: {"active": True, "sub": "alice"}}) as running:
        yield running


@pytest.fixture
def records() -> Any:
    made = Records(io.BytesIO())
    yield made
    made.close()


def provers(issuer: Issuer) -> dict[str, Any]:
    signed = Jwt(issuer=NAME, audience=AUDIENCE, jwks=f"{issuer.url}/jwks", algorithms=("ES256",))
    opaque = Introspection(
        issuer=NAME, url=f"{issuer.url}/introspect", client_id="us", client_secret="env:SECRET"
    )
    key = b"k" * 32
    return {
        "signed": Jwts(signed, key, []),
        "tokens": Introspections("tokens", opaque, "s", key, []),
    }


def of(found: dict[str, Any], records: Records) -> Issuers:
    made = table(policy())
    return Issuers(replace(made, provers=found), records)


async def test_keys_are_there_before_anything_is_served(issuer: Issuer, records: Records) -> None:
    found = provers(issuer)
    made = of(found, records)
    assert made.told() == ["credential signed: no keys: not fetched yet"]
    await made.start()
    assert made.told() == []
    assert found["signed"].keyring.keys(0.0) is not None
    await made.close()


async def test_an_issuer_that_is_down_keeps_nobody_from_starting(
    issuer: Issuer, records: Records
) -> None:
    issuer.status = 503
    made = of(provers(issuer), records)
    await made.start()
    assert made.told() == ["credential signed: no keys: status 503"]
    await made.close()


async def test_nor_does_one_that_does_not_answer(
    issuer: Issuer, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "START", 0.05)
    issuer.slow.clear()
    made = of(provers(issuer), records)
    await made.start()
    assert made.told() == ["credential signed: no keys: not fetched yet"]
    await made.close()


async def test_another_policy_begins_with_the_keys_of_the_last(
    issuer: Issuer, records: Records
) -> None:
    before, found = of(provers(issuer), records), provers(issuer)
    await before.start()
    issuer.status = 503
    made = Issuers(replace(table(policy()), provers=found), records, before)
    await made.start()
    await before.close()
    await until(lambda: made.told() == ["credential signed: old keys: status 503"])
    assert found["signed"].keyring.keys(0.0) is not None
    await made.close()


async def test_a_token_is_asked_about_where_its_credential_says(
    issuer: Issuer, records: Records
) -> None:
    found = provers(issuer)
    made = of(found, records)
    await made.start()
    now = datetime.now(UTC).timestamp()
    needed = proven(tokens=found["tokens"], now=now)
    assert isinstance(needed, Needed)
    await made.ask(needed)
    assert proven(tokens=found["tokens"], now=now) == ALICE
    await made.close()


async def test_a_policy_without_issuers_has_nothing_to_do(records: Records) -> None:
    made = of({}, records)
    await made.start()
    assert made.told() == []
    await made.close()
    with pytest.raises(IssuerUnavailable):
        await nobody(Needed("tokens", TOKEN))
