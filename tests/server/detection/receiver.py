"""A receiver of webhooks: real TLS on loopback, and whatever may be wrong with it."""

import hashlib
import hmac
import ssl
import sys
import threading
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

import orjson

from tests.e2e.authority import Certificate
from tests.issuer import Server

SECRET = bytes(range(32))
OLD = bytes(range(32, 64))


class Untrusted(Exception):  # noqa: N818 - names what it is
    """Why a request is not believed."""


def verified(
    headers: Mapping[str, str], body: bytes, secret: bytes, now: float, seen: set[str]
) -> None:
    """As Standard Webhooks has receivers verify, written from its text; refuses replays."""
    identity, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(now - int(timestamp)) > 300:
        raise Untrusted("old")
    wanted = hmac.new(secret, f"{identity}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    versions = [each.split(",", 1) for each in headers["webhook-signature"].split(" ")]
    if not any(
        version == "v1" and hmac.compare_digest(b64decode(signature), wanted)
        for version, signature in versions
    ):
        raise Untrusted("signature")
    if identity in seen:
        raise Untrusted("seen before")
    seen.add(identity)


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found


class Quiet(Server):
    """Says nothing of clients that are cut off, either."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@dataclass
class Endpoint:
    certificate: Certificate
    statuses: list[int] = field(default_factory=list)
    """What is answered, one after the other; 204 when there is none left."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of every answer that is not 204."""
    port: int = 0
    received: list[Received] = field(default_factory=list)
    """Whatever came, also what was not taken."""
    slow: threading.Event = field(default_factory=threading.Event)
    """Unset: answers wait for it."""

    def __post_init__(self) -> None:
        self.slow.set()
        self._server = Quiet(("127.0.0.1", self.port), _handler(self))
        self._server.daemon_threads = True
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*self.certificate.files)
        self._server.socket = tls.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/hooks/secret-path"

    @property
    def taken(self) -> list[str]:
        """The subjects of what came, in order."""
        return [each.said["subject"] for each in self.received]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.slow.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        self.slow.wait(30)
        self.received.append(Received(headers, body))
        return self.statuses.pop(0) if self.statuses else 204


def _handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if len(body) < int(self.headers["content-length"]):
                return  # its client was cut off
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = endpoint.answer(headers, body)
            self.send_response(status)
            for name, value in endpoint.headers.items():
                if status != 204:
                    self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Nobody reads it."""

    return Handler
