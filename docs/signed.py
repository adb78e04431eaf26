"""Sign a request and print its header fields: docs/credentials-signature.md.

python docs/signed.py KEYID URL BODY < private.pem
"""

import sys
import uuid

from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms


class Request:
    def __init__(self, method: str, url: str, headers: dict[str, str]) -> None:
        self.method, self.url, self.headers = method, url, headers


class PrivateKey(HTTPSignatureKeyResolver):
    def resolve_private_key(self, key_id: str) -> bytes:
        return sys.stdin.buffer.read()


def main() -> None:
    key_id, url, body = sys.argv[1:]
    request = Request("POST", url, {"Content-Type": "application/json"})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=PrivateKey())
    signer.sign(
        request,
        key_id=key_id,
        nonce=uuid.uuid4().hex,
        covered_component_ids=("@method", "@authority", "@path", "content-type"),
        body=body.encode(),  # adds Content-Digest, and covers it
    )
    for name, value in request.headers.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
