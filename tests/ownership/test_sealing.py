"""A report is as it was signed, or it is not."""

from pathlib import Path

import msgspec
import pytest

from extproc.audit.signature import private_key, public_key
from extproc.auditor.keys import new_pair
from extproc.errors import ConfigError
from extproc.ownership.sealing import Sealed, is_as_signed, read_key, sealed_json, sealed_page

PRIVATE, PUBLIC = new_pair()
KEY, KNOWN = private_key(PRIVATE), public_key(PUBLIC)
REPORT = b'{\n  "verdict": "no evidence"\n}'
PAGE = b"<!doctype html>\n<p>no evidence</p>\n"


@pytest.mark.parametrize("sealed", [sealed_json(REPORT, KEY), sealed_page(PAGE, KEY)])
def test_what_was_signed_is_known_and_any_change_of_it(sealed: bytes) -> None:
    """Planted: a signature of the digest of what was decoded does not see a space."""
    assert is_as_signed(sealed, KNOWN)
    assert not is_as_signed(sealed.replace(b"no evidence", b"carries the marks"), KNOWN)
    assert not is_as_signed(sealed.replace(b"\n", b"\n ", 1), KNOWN)
    assert not is_as_signed(sealed, public_key(new_pair()[1]))


@pytest.mark.parametrize(
    "sealed",
    [
        b"",
        REPORT,
        PAGE,
        PAGE + b"<!-- signed by 0123456789abcdef: AAAA -->\n",
        sealed_page(PAGE, KEY) + b"<p>more</p>\n",
        sealed_json(REPORT, KEY)[:-2] + b', "more": 1}\n',
        b'{"report": {"verdict": "carries the marks"},' + sealed_json(REPORT, KEY)[1:],
        b" " + sealed_json(REPORT, KEY),
        sealed_json(REPORT, KEY).replace(b'"key":"', b'"key":"\xff'),
        sealed_json(b"[" * 5000 + b"]" * 5000, KEY),
        sealed_json(REPORT, KEY).replace(b'"ed25519":"', b'"ed25519":"!'),
    ],
)
def test_what_is_not_signed_so_is_not(sealed: bytes) -> None:
    assert not is_as_signed(sealed, KNOWN)


def test_what_was_signed_as_one_is_not_the_other() -> None:
    """A report in JSON holds names that are no HTML, which a page would show as such."""
    assert not is_as_signed(sealed_page(sealed_json(REPORT, KEY), KEY)[:-1], KNOWN)
    signed = msgspec.json.decode(sealed_json(REPORT, KEY), type=Sealed).signature
    made = b"%b: %b" % (signed.key.encode(), signed.ed25519.encode())
    assert not is_as_signed(REPORT + b"<!-- signed by %b -->\n" % made, KNOWN)


@pytest.mark.parametrize(("text", "said"), [(None, "No such file"), (b"x", "no private key")])
def test_a_key_that_cannot_sign_is_said(tmp_path: Path, text: bytes | None, said: str) -> None:
    if text is not None:
        (tmp_path / "key").write_bytes(text)
    with pytest.raises(ConfigError, match=said):
        read_key(tmp_path / "key")
