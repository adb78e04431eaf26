"""The admin port, for the pod alone: ``/metrics``, ``/livez``, ``/readyz``.

It runs in a thread of its own, so that a slow scrape never holds up a request.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from extproc.server.telemetry import Telemetry

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Probes come every few seconds; nobody reads a line about each."""


class _IPv6(WSGIServer):
    address_family = socket.AF_INET6


class Admin:
    """``ready()`` tells whether the sidecar serves; a draining one is alive and not ready.

    ``problems()`` tells what it serves without, a line each.
    """

    def __init__(
        self,
        host: str,
        port: int,
        telemetry: Telemetry,
        ready: Callable[[], bool],
        problems: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._problems = problems
        self._telemetry = telemetry
        self._ready = ready
        self._server = make_server(
            host,
            port,
            self._answer,
            server_class=_IPv6 if ":" in host else WSGIServer,
            handler_class=_Quiet,
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="admin", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        match request["PATH_INFO"]:
            case "/metrics":
                start("200 OK", [("content-type", CONTENT_TYPE_LATEST)])
                return [generate_latest(self._telemetry.registry)]
            case "/livez":
                return _text(start, "200 OK", b"alive\n")
            case "/readyz" if self._ready():
                return _text(start, "200 OK", "\n".join(["ready", *self._problems(), ""]).encode())
            case "/readyz":
                return _text(start, "503 Service Unavailable", b"not ready\n")
            case _:
                return _text(start, "404 Not Found", b"see /metrics, /livez, /readyz\n")


def _text(start: StartResponse, status: str, body: bytes) -> Iterable[bytes]:
    start(status, [("content-type", "text/plain")])
    return [body]
