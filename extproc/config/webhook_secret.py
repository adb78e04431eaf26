"""What a secret says that alerts are signed under.  Source: Standard Webhooks, 1.0.0."""

from base64 import b64decode
from binascii import Error
from typing import Final

from extproc.errors import Malformed

PREFIX: Final = b"whsec_"
LEAST: Final = 24
"""Bytes of a key."""
MOST: Final = 64
SECRETS: Final = 2


def secrets(content: bytes) -> tuple[bytes, ...]:
    """The keys that a secret holds.

    ``whsec_`` and base64 is what the base64 stands for; while it is replaced there are two of
    these, with white space between.  Anything else is a key as it is.  Raise Malformed, without any
    of the content, where it is another thing.
    """
    if not content.startswith(PREFIX):
        return (_long_enough(content),)
    found = tuple(map(_decoded, content.split()))
    if len(found) > SECRETS:
        raise Malformed(f"{len(found)} keys, where there are 1 or {SECRETS}")
    return found


def _decoded(text: bytes) -> bytes:
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except Error as error:
        raise Malformed("whsec_ without base64 behind it") from error
    if not text.startswith(PREFIX) or len(key) > MOST:
        raise Malformed(f"not only whsec_ and base64 of {LEAST} to {MOST} bytes")
    return _long_enough(key)


def _long_enough(key: bytes) -> bytes:
    if len(key) < LEAST:
        raise Malformed(f"a key of {len(key)} bytes, where it has {LEAST} at least")
    return key
