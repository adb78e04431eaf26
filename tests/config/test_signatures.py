"""Signing keys and certificates of a policy file, and what is wrong with them."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from extproc.cause import Cause
from extproc.config import compile_table, load
from extproc.credentials import Certificates, Proof, Signatures
from extproc.errors import ConfigError
from extproc.events import CheckedRequest, Peer
from extproc.policy import PolicyTable
from tests.config.example import changed, compiled
from tests.credentials.signing import NOW, PRIVATE, SECRET, public, signed

KEY = "algorithm: ed25519, public_key: 'file:ed25519.pem'"


def credentials(listed: str, tmp_path: Path) -> PolicyTable:
    for name, key in PRIVATE.items():
        (tmp_path / f"{name}.pem").write_bytes(public(key))
    (tmp_path / "small.pem").write_bytes(public(rsa.generate_private_key(65537, 1024)))
    return compiled(tmp_path, changed(("routes:\n", f"credentials:\n{listed}\nroutes:\n")))


def keys(one: str, more: str = "", *, name: str = "signed") -> str:
    return f"  {name}:\n    kind: signature\n    keys:\n      partner-1: {{{one}}}\n{more}"


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512"])
def test_a_public_key_checks_signatures(tmp_path: Path, algorithm: str) -> None:
    one = f"tenant: acme, algorithm: {algorithm}, public_key: 'file:{algorithm}.pem'"
    prover = credentials(keys(one), tmp_path).provers["signed"]
    assert isinstance(prover, Signatures)
    assert prover.prove(signed(algorithm=algorithm), NOW) is not None


def test_a_secret_checks_signatures(tmp_path: Path) -> None:
    one = "tenant: acme, algorithm: hmac-sha256, secret: 'env:HMAC'"
    prover = credentials(keys(one), tmp_path).provers["signed"]
    assert prover.prove(signed(algorithm="hmac-sha256", key=SECRET), NOW) is not None


def test_what_the_apis_of_the_policy_are_read_by_must_be_signed(tmp_path: Path) -> None:
    prover = credentials(keys(f"tenant: acme, {KEY}"), tmp_path).provers["signed"]
    plain = {"content-type": "application/json", "accept": "*/*"}
    assert isinstance(prover.prove(signed(headers=plain), NOW), Proof)
    for name in ("inference-header-content-length", "authorization", "x-api-key"):
        found = prover.prove(signed(headers={**plain, name: "1"}), NOW)
        assert found is Cause.SIGNATURE_UNCOVERED


def test_certificates_belong_to_tenants(tmp_path: Path) -> None:
    listed = "  mesh: {kind: mtls, uris: {'spiffe://acme/*': acme}}"
    table = credentials(listed, tmp_path)
    assert isinstance(table.provers["mesh"], Certificates)
    proof = table.provers["mesh"].prove(
        CheckedRequest("GET", "/", {}, Peer(uri="spiffe://acme/x")), NOW
    )
    assert getattr(proof, "tenant", "") == "acme"
    assert table.credential_headers == ("x-forwarded-client-cert",)


def test_a_tenant_may_list_certificates_among_its_principals(tmp_path: Path) -> None:
    listed = (f"key:{'a' * 64}", f'mtls:spiffe://acme/x", "mtls:sha256:{"c" * 64}')
    text = changed(("routes:\n", "credentials: {mesh: {kind: mtls}}\nroutes:\n"), listed)
    table = compiled(tmp_path, text)
    request = CheckedRequest("GET", "/", {}, Peer(uri="spiffe://acme/x"))
    assert getattr(table.provers["mesh"].prove(request, NOW), "tenant", "") == "acme"


def test_a_tenant_needs_no_principals(tmp_path: Path) -> None:
    text = changed((f', principals: ["key:{"a" * 64}"]', ""))
    assert ("acme", "POST /v1/embeddings") in compiled(tmp_path, text).policies


@pytest.mark.parametrize("name", ["signature", "mtls"])
def test_the_examples_of_the_guides_can_be_used(name: str) -> None:
    file = Path(__file__).parents[2] / "docs" / "examples" / f"{name}.yaml"
    table = compile_table(load(file), {"EXTPROC_HMAC": "k" * 32})
    assert {tenant for tenant, _ in table.policies} <= {"acme", "beta"}


TWICE = keys(f"tenant: acme, {KEY}") + keys(f"tenant: beta, {KEY}", name="others")
WRONG = {
    "an unknown tenant": (
        keys(f"tenant: acne, {KEY}"),
        "credentials.signed.keys.partner-1.tenant: there is no tenant 'acne'; did you mean 'acme'?",
    ),
    "no key": (
        keys("tenant: acme, algorithm: ed25519"),
        "keys.partner-1: ed25519 needs a public_key; add public_key: file:PATH",
    ),
    "a secret for a key": (
        keys("tenant: acme, algorithm: ed25519, secret: 'env:HMAC'"),
        "keys.partner-1.secret: ed25519 has a public_key; write public_key instead",
    ),
    "a key for a secret": (
        keys("tenant: acme, algorithm: hmac-sha256, public_key: 'file:ed25519.pem'"),
        "keys.partner-1.public_key: hmac-sha256 has a secret; write secret instead",
    ),
    "a key of another algorithm": (
        keys("tenant: acme, algorithm: ecdsa-p256-sha256, public_key: 'file:ed25519.pem'"),
        (
            "keys.partner-1.public_key: no public key for ecdsa-p256-sha256 in PEM; "
            "make one with: openssl pkey -in PRIVATE -pubout"
        ),
    ),
    "a key that is too small": (
        keys("tenant: acme, algorithm: rsa-pss-sha512, public_key: 'file:small.pem'"),
        "no public key for rsa-pss-sha512 in PEM; make one with: openssl pkey -in PRIVATE -pubout",
    ),
    "a file that is missing": (
        keys("tenant: acme, algorithm: ed25519, public_key: 'file:none.pem'"),
        "(No such file or directory); make one with: openssl pkey -in PRIVATE -pubout",
    ),
    "an unknown algorithm": (
        keys("tenant: acme, algorithm: none, public_key: 'file:ed25519.pem'"),
        "write ed25519, ecdsa-p256-sha256, rsa-pss-sha512 or hmac-sha256",
    ),
    "a key id twice": (
        TWICE,
        (
            "credentials.others.keys.partner-1: the credential 'signed' lists this key id too; "
            "rename one"
        ),
    ),
    "a long age": (
        keys(f"tenant: acme, {KEY}", "    max_age: 2h\n"),
        "credentials.signed.max_age: longer than 1h; write 1h or less",
    ),
    "a component of no request": (
        keys(f"tenant: acme, {KEY}", "    components: ['@status']\n"),
        (
            "credentials.signed.components[0]: malformed; write a header field in lower case, or "
            "@method, @authority, @scheme, @target-uri, @path or @query"
        ),
    ),
    "a certificate of nobody": (
        f"  mesh: {{kind: mtls, digests: {{'{'a' * 64}': nobody}}}}",
        (
            f"credentials.mesh.digests.{'a' * 64}: there is no tenant 'nobody'; "
            "write one of acme, beta"
        ),
    ),
    "a URI of nobody": (
        "  mesh: {kind: mtls, uris: {'spiffe://acme/*': acne}}",
        "credentials.mesh.uris.spiffe://acme/*: there is no tenant 'acne'; did you mean 'acme'?",
    ),
    "a URI with a star inside": (
        "  mesh: {kind: mtls, uris: {'spiffe://*/worker': acme}}",
        "or one that ends in /* for all below it",
    ),
    "no URI": (
        "  mesh: {kind: mtls, uris: {'*': acme}}",
        "or one that ends in /* for all below it",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_used_is_told_with_its_place(tmp_path: Path, what: str) -> None:
    listed, message = WRONG[what]
    with pytest.raises(ConfigError) as raised:
        credentials(listed, tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / 'policy.yaml'}:")
    assert message in str(raised.value)
