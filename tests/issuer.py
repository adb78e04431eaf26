"""An issuer of tokens: real keys, real HTTP on loopback, and whatever may be wrong with either."""

import base64
import hmac
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

import orjson
from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

NAME = "https://login.example.com"
AUDIENCE = "https://models.example.com"
NOW = 1_800_000_000.0

CLAIMS: Mapping[str, Any] = {
    "iss": NAME,
    "sub": "alice",
    "aud": AUDIENCE,
    "iat": NOW - 10,
    "exp": NOW + 300,
}


def made(algorithm: str, kid: str | None = None) -> Key:
    """A fresh private key."""
    named: Any = {"kid": kid} if kid is not None else None
    match algorithm[:2]:
        case "RS" | "PS":
            return RSAKey.generate_key(2048, named, auto_kid=False)
        case "ES":
            curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]
            return ECKey.generate_key(curve, named, auto_kid=False)
        case _:
            return OKPKey.generate_key("Ed25519", named, auto_kid=False)


# Made once: to make an RSA key takes longer than most tests.
RSA, EC = made("RS256", "rsa-1"), made("ES256", "ec-1")
OTHER_RSA, OTHER_EC = made("RS256", "rsa-2"), made("ES256", "ec-2")


def public(key: Key, **more: Any) -> dict[str, Any]:
    """What of a key is published."""
    return {**key.as_dict(private=False), **more}


def jwks(*keys: Any) -> bytes:
    """A set of these, of which whatever is no key stands there as it is."""
    listed = [public(key) if isinstance(key, RSAKey | ECKey | OKPKey) else key for key in keys]
    return orjson.dumps({"keys": listed})


def token(
    key: Key = RSA,
    algorithm: str = "RS256",
    header: Mapping[str, Any] | None = None,
    **claims: Any,
) -> str:
    """A signed token; a claim or header field of None is left out."""
    fields = {"alg": algorithm, "kid": key.kid, "typ": "at+jwt", **(header or {})}
    said = {**CLAIMS, **claims}
    return signed(
        {name: value for name, value in fields.items() if value is not None},
        orjson.dumps({name: value for name, value in said.items() if value is not None}),
        key,
    )


def signed(header: dict[str, Any], payload: bytes, key: Key) -> str:
    """Whatever the header asks for, which a library that signs would not let through."""
    algorithm = jws.JWSRegistry(algorithms=[header["alg"]]).get_alg(header["alg"])
    head = f"{b64(orjson.dumps(header))}.{b64(payload)}"
    return f"{head}.{b64(algorithm.sign(head.encode(), key))}"


def confused(key: Key = RSA) -> str:
    """Signed by HMAC, with the public key as it is published as the secret."""
    assert not isinstance(key, OctKey)
    header = orjson.dumps({"alg": "HS256", "kid": key.kid, "typ": "at+jwt"})
    head = f"{b64(header)}.{b64(orjson.dumps(dict(CLAIMS)))}"
    return f"{head}.{b64(hmac.digest(key.as_pem(private=False), head.encode(), 'sha256'))}"


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Server(ThreadingHTTPServer):
    """Says nothing of clients that go away: others read standard error."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@dataclass
class Issuer:
    """Serves its keys at ``/jwks`` and what it knows of tokens at ``/introspect``."""

    keys: bytes = b""
    known: dict[str, Any] = field(default_factory=dict)
    """Token -> what introspection answers."""
    status: int = 200
    body: bytes | None = None
    """Instead of any other answer."""
    chunk: int = 1 << 20
    asked: Counter[str] = field(default_factory=Counter)
    """How often, by path."""
    forms: list[dict[str, list[str]]] = field(default_factory=list)
    authorization: str = ""
    slow: threading.Event = field(default_factory=threading.Event)
    """Unset: answers wait for it."""
    certificate: Path | None = None
    """With its key: then it speaks TLS."""
    waiting: int = 0
    most_waiting: int = 0

    def __post_init__(self) -> None:
        self.slow.set()
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if self.certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(self.certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.slow.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, form: bytes) -> tuple[int, bytes]:
        with self._lock:
            self.asked[path] += 1
            self.waiting += 1
            self.most_waiting = max(self.most_waiting, self.waiting)
        self.slow.wait(30)
        with self._lock:
            self.waiting -= 1
        if self.body is not None:
            return self.status, self.body
        if path == "/jwks":
            return self.status, self.keys
        asked = parse_qs(form.decode())
        self.forms.append(asked)
        return self.status, orjson.dumps(self.known.get(asked["token"][0], {"active": False}))


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            issuer.authorization = self.headers["authorization"]
            self._answer(self.rfile.read(int(self.headers["content-length"])))

        def _answer(self, form: bytes) -> None:
            status, body = issuer.answer(self.path, form)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            if status == 302:
                self.send_header("location", f"{issuer.url}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Nobody reads it."""

    return Handler
