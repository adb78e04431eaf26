"""Entries are opened by one key alone, and are what was committed to."""

import base64

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from extproc.audit.signature import public_key
from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.config.vault_key import new_pair
from extproc.errors import Malformed
from extproc.marks.entry import (
    INFO,
    SUITE,
    Entry,
    Line,
    commitment,
    opened,
    private_key,
    recipient,
)

PRIVATE, PUBLIC = new_pair()
KEY = private_key(PRIVATE)
ENTRY = Entry(
    salt="00" * 16,
    time="2026-01-02T03:04:05+00:00",
    tenant="acme",
    cohort="",
    route="POST /v1/classify",
    model="digits",
    epoch=1,
    cell="ab" * 16,
    stamp="mark",
    input=msgspec.Raw(b'"the s3cret question"'),
    truth="cat",
    other="dog",
)


def line(written: bytes = msgspec.json.encode(ENTRY)) -> Line:
    return Line(commitment(written), SUITE.encrypt(written, recipient(PUBLIC), INFO))


def test_whoever_has_the_key_reads_what_was_written() -> None:
    kept = msgspec.json.encode(line())
    assert b"s3cret" not in base64.b64decode(msgspec.json.decode(kept)["sealed"])
    assert opened(msgspec.json.decode(kept, type=Line), KEY) == ENTRY


def test_nobody_else_does() -> None:
    with pytest.raises(Malformed, match="with this key"):
        opened(line(), X25519PrivateKey.generate())


def test_an_entry_that_was_changed_is_not_opened() -> None:
    """Planted: not comparing with the commitment lets one entry stand for another's."""
    kept = line()
    flipped = kept.sealed[:-1] + bytes([kept.sealed[-1] ^ 1])
    for sealed in (flipped, b"", kept.sealed[1:]):
        with pytest.raises(Malformed):
            opened(Line(kept.commitment, sealed), KEY)
    with pytest.raises(Malformed, match="commitment"):
        opened(Line(commitment(b"another"), kept.sealed), KEY)
    with pytest.raises(Malformed):
        opened(line(b'{"no": "entry"}'), KEY)


def test_a_commitment_hides_what_it_is_of_and_binds_to_it() -> None:
    salted = msgspec.json.encode(msgspec.structs.replace(ENTRY, salt="11" * 16))
    assert len({commitment(msgspec.json.encode(ENTRY)), commitment(salted)}) == 2


@pytest.mark.parametrize("pem", [b"", b"no key", PRIVATE, new_signing_pair()[1]])
def test_only_a_public_x25519_key_is_sealed_to(pem: bytes) -> None:
    """Above all not a private one: it would stand where entries are written."""
    with pytest.raises(Malformed):
        recipient(pem)


@pytest.mark.parametrize("pem", [b"", PUBLIC, new_signing_pair()[0]])
def test_only_a_private_x25519_key_opens(pem: bytes) -> None:
    with pytest.raises(Malformed):
        private_key(pem)


def test_a_key_of_the_vault_signs_no_log() -> None:
    with pytest.raises(Malformed):
        public_key(PUBLIC)
