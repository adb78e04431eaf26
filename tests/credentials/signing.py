"""Requests signed by a real client, the library http-message-signatures, and keys to sign with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

from extproc.events import CheckedRequest

NOW: Final = 1_800_000_000.0
BODY: Final = b'{"input":"hello"}'
COVERED: Final = ("@method", "@authority", "@path", "content-type")
SECRET: Final = b"0123456789abcdef0123456789abcdef"

PRIVATE: Final[dict[str, Any]] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa-p256-sha256": ec.generate_private_key(ec.SECP256R1()),
    "rsa-pss-sha512": rsa.generate_private_key(65537, 2048),
    "hmac-sha256": SECRET,
}
_CLASSES: Final[dict[str, Any]] = {
    "ed25519": algorithms.ED25519,
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "rsa-pss-sha512": algorithms.RSA_PSS_SHA512,
    "hmac-sha256": algorithms.HMAC_SHA256,
}


def public(key: Any) -> bytes:
    """What a policy lists of a key: PEM, or the secret."""
    if isinstance(key, bytes):
        return key
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


@dataclass
class Message:
    """What the library signs: it changes the headers."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, key: Any) -> None:
        self._key = key

    def resolve_private_key(self, key_id: str) -> Any:
        return self._key

    def resolve_public_key(self, key_id: str) -> Any:
        return self._key


def sign(
    message: Message,
    body: bytes | None = BODY,
    *,
    algorithm: str = "ed25519",
    key: Any = None,
    key_id: str = "partner-1",
    created: float = NOW,
    expires: float | None = None,
    nonce: str | None = "n1",
    covered: Sequence[str] = COVERED,
    **more: Any,
) -> Message:
    """The same message, with a signature over its digest, too, where it has a body."""
    signer = HTTPMessageSigner(
        signature_algorithm=_CLASSES[algorithm],
        key_resolver=_Keys(PRIVATE[algorithm] if key is None else key),
    )
    signer.sign(
        message,
        key_id=key_id,
        created=datetime.fromtimestamp(created, UTC),
        expires=None if expires is None else datetime.fromtimestamp(expires, UTC),
        nonce=nonce,
        covered_component_ids=covered,
        body=body,
        **more,
    )
    return message


def checked(message: Message) -> CheckedRequest:
    """The request as Envoy shows it to ext_authz."""
    scheme, _, rest = message.url.partition("://")
    authority, slash, path = rest.partition("/")
    headers = {name.lower(): value for name, value in message.headers.items()}
    headers |= {":authority": authority, ":scheme": scheme}
    return CheckedRequest(message.method, slash + path, headers)


def signed(
    body: bytes | None = BODY,
    *,
    method: str = "POST",
    url: str = "https://api.example/v1/embeddings",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> CheckedRequest:
    """A request that is as it should be but for what is said."""
    found = {"content-type": "application/json"} if headers is None else dict(headers)
    return checked(sign(Message(method, url, found), body, **more))
