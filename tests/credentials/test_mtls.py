"""Who a certificate is: by its URI, or by its digest, and by nothing else."""

from base64 import encodebytes
from hashlib import sha256
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.cause import Cause
from extproc.credentials.mtls import Certificates, Mtls, fingerprint
from extproc.credentials.proof import Proof
from extproc.events import CheckedRequest, Peer
from tests.credentials.proving import proven_by

WORKER = "spiffe://acme/ns/prod/sa/worker"
DER = bytes(range(200))
PINNED = sha256(DER).hexdigest()


def pem(der: bytes = DER) -> str:
    """As Envoy gives it: PEM in URL encoding."""
    lines = encodebytes(der).decode()
    text = f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n"
    return quote(text, safe="")


def proven(
    uri: str = "",
    certificate: str = "",
    *,
    uris: dict[str, str] | None = None,
    digests: dict[str, str] | None = None,
    owners: dict[str, str] | None = None,
    **headers: str,
) -> Proof | None:
    prover = Certificates(Mtls(uris or {}, digests or {}), owners or {})
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    request = CheckedRequest("POST", "/", fields, Peer("192.0.2.1", uri, certificate))
    return proven_by(prover.prove(request, 0.0))


def test_a_uri_names_a_tenant() -> None:
    assert proven(WORKER, uris={WORKER: "acme"}) == Proof(f"mtls:{WORKER}", 3, "acme")
    assert proven(WORKER, owners={f"mtls:{WORKER}": "acme"}) == Proof(f"mtls:{WORKER}", 3, "acme")


def test_strength_is_what_the_policy_says() -> None:
    prover = Certificates(Mtls({WORKER: "acme"}, strength=7), {})
    proof = proven_by(prover.prove(CheckedRequest("GET", "/", {}, Peer(uri=WORKER)), 0.0))
    assert proof == Proof(f"mtls:{WORKER}", 7, "acme")


@pytest.mark.parametrize(
    ("uri", "tenant"),
    [
        ("spiffe://acme/worker", "acme"),
        ("spiffe://acme/a/b/c", "acme"),
        ("spiffe://acme/ns/prod/x", "beta"),
        ("spiffe://acme/ns/prod/one", "gamma"),
        ("spiffe://acme/ns/prod", "acme"),
        ("spiffe://acme/", "acme"),
        ("spiffe://acme", None),
        ("spiffe://acme.evil/worker", None),
        ("spiffe://acmeevil/worker", None),
        ("spiffe://evil/acme/worker", None),
        ("spiffe://evil/spiffe://acme/worker", None),
        ("https://acme/worker", None),
        ("SPIFFE://acme/worker", None),
        ("spiffe://ACME/worker", None),
        ("spiffe://acme/*", "acme"),
        ("xspiffe://acme/worker", None),
    ],
)
def test_a_pattern_stands_for_all_below_it_and_the_longest_counts(
    uri: str, tenant: str | None
) -> None:
    uris = {
        "spiffe://acme/*": "acme",
        "spiffe://acme/ns/prod/*": "beta",
        "spiffe://acme/ns/prod/one": "gamma",
    }
    proof = proven(uri, uris=uris)
    assert (proof.tenant if proof else None) == tenant


@pytest.mark.parametrize(
    "name",
    [
        "",
        "CN=spiffe://acme/x",
        "acme.example",
        "spiffe:acme/x",
        " spiffe://acme/x",
        "spiffe://acme/x\n",
    ],
)
def test_a_name_that_is_no_uri_proves_nothing(name: str) -> None:
    assert proven(name, uris={"spiffe://acme/*": "acme"}, owners={f"mtls:{name}": "acme"}) is None


def test_a_digest_names_a_tenant() -> None:
    expected = Proof(f"mtls:sha256:{PINNED}", 3, "acme")
    assert proven("", pem(), digests={PINNED: "acme"}) == expected
    assert proven("", pem(), owners={f"mtls:sha256:{PINNED}": "acme"}) == expected
    assert proven("CN=worker", pem(), digests={PINNED: "acme"}) == expected
    assert proven("", pem(b"other"), digests={PINNED: "acme"}) is None
    assert proven("", "", digests={PINNED: "acme"}) is None


def test_a_uri_names_the_principal_where_both_are_known() -> None:
    both = proven(WORKER, pem(), uris={WORKER: "acme"}, digests={PINNED: "acme"})
    assert both == Proof(f"mtls:{WORKER}", 3, "acme")


def test_a_certificate_of_two_tenants_is_nobodys() -> None:
    assert proven(WORKER, pem(), uris={WORKER: "acme"}, digests={PINNED: "beta"}) is None


def test_what_the_policy_knows_one_part_of_is_known() -> None:
    assert proven("spiffe://x/y", pem(), digests={PINNED: "acme"}) is not None
    assert proven(WORKER, pem(b"other"), uris={WORKER: "acme"}) is not None


@pytest.mark.parametrize(
    "value", [f"URI={WORKER}", f'Hash={PINNED};URI={WORKER};Subject=""', WORKER]
)
def test_a_header_has_no_say(value: str) -> None:
    known = {"uris": {WORKER: "acme"}, "digests": {PINNED: "acme"}}
    assert proven("spiffe://x/y", **known, x_forwarded_client_cert=value) is None  # type: ignore[arg-type]
    assert proven("", x_forwarded_client_cert=value, **known) is None  # type: ignore[arg-type]
    assert "x-forwarded-client-cert" in Certificates.headers


TWICE = pem() + pem()
BROKEN = {
    "nothing": "",
    "no PEM": quote("certificate"),
    "not encoded": "-----BEGIN CERTIFICATE-----",
    "a key": pem().replace("CERTIFICATE", "PRIVATE%20KEY"),
    "two certificates": TWICE,
    "cut": pem()[:-40],
    "no base64": pem().replace("%0AAAEC", "%0A!!!!"),
    "of a wrong length": pem().replace("%0AAAEC", "%0AAAE"),
    "something before": "x" + pem(),
    "oversized": pem(bytes(40_000)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_certificate_has_no_digest(what: str) -> None:
    assert fingerprint(BROKEN[what]) == ""
    assert proven("", BROKEN[what], digests={PINNED: "acme", "": "acme"}) is None


@given(der=st.binary(min_size=1, max_size=300))
def test_the_digest_is_that_of_the_certificates_octets(der: bytes) -> None:
    assert fingerprint(pem(der)) == sha256(der).hexdigest()


@given(uri=st.text(), certificate=st.text())
def test_whatever_a_connection_shows_nothing_is_raised(uri: str, certificate: str) -> None:
    assert proven(uri, certificate, uris={WORKER: "acme"}, digests={PINNED: "acme"}) is None


def test_the_record_is_told_why() -> None:
    def why(uri: str, certificate: str = "") -> object:
        settings = Mtls(uris={WORKER: "acme"}, digests={PINNED: "beta"})
        request = CheckedRequest("GET", "/", {}, Peer(uri=uri, certificate=certificate))
        return Certificates(settings, {}).prove(request, 0.0)

    assert why("") is Cause.CREDENTIAL_MISSING
    assert why("spiffe://nobody/x") is Cause.CERTIFICATE_UNKNOWN
    assert why("", pem(b"other")) is Cause.CERTIFICATE_UNKNOWN
    assert why(WORKER, pem()) is Cause.CERTIFICATE_AMBIGUOUS
