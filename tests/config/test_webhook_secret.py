from base64 import b64encode

import pytest

from extproc.config.webhook_secret import secrets
from extproc.errors import Malformed
from tests.server.detection.receiver import OLD, SECRET


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"k" * 23,
        b"whsec_" + b64encode(b"k" * 23),
        b"whsec_" + b64encode(b"k" * 65),
        b"whsec_not-base64,-of-forty-or-so-octets!",
        b"whsec_" + b64encode(b"k" * 32) + b"\n" + b64encode(b"l" * 32),
        b"\n".join([b"whsec_" + b64encode(b"k" * 32)] * 3),
    ],
)
def test_what_is_no_secret_is_refused_and_not_told(content: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        secrets(content)
    for text in content.split():
        assert text.decode() not in str(refused.value)


def test_a_key_of_either_bound_is_one() -> None:
    for size in (24, 64):
        assert secrets(b"whsec_" + b64encode(b"k" * size)) == (b"k" * size,)


def test_a_key_may_be_any_octets_also_such_as_part_words() -> None:
    assert secrets(bytes(range(32))) == (bytes(range(32)),)


def test_two_keys_stand_on_two_lines() -> None:
    content = b"whsec_" + b64encode(SECRET) + b"\nwhsec_" + b64encode(OLD) + b"\n"
    assert secrets(content) == (SECRET, OLD)
