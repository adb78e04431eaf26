"""Signatures by which a receiver knows that an alert is ours, whole and not an old one again.

Rule: HMAC-SHA-256 over ``ID.TIMESTAMP.BODY``, a signature for each key, so that a key can be
replaced while the receiver knows only one of the two.  Source: Standard Webhooks, 1.0.0.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence


def signed(keys: Sequence[bytes], identity: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The header fields of one attempt, made at ``timestamp``, in seconds since 1970."""
    content = b"%b.%d.%b" % (identity.encode(), timestamp, body)
    signatures = (b64encode(hmac.digest(each, content, "sha256")).decode() for each in keys)
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
