"""The admin port, for the pod alone: ``/metrics``, ``/livez`` (also as ``/healthz``), ``/readyz``,
``/config``, ``/version``.

It runs in a thread of its own, in short turns, so that a large scrape never holds up a request.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from io import StringIO
from platform import python_version
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from extproc.server.short_turns import short_turns
from extproc.server.telemetry import Telemetry

PATIENCE: Final = 2.0
"""Seconds that whoever connects may say nothing, or not read: others wait meanwhile."""
_POLL: Final = 0.1
"""Seconds between two looks at whether it is to end."""
_PATHS: Final = b"see /metrics, /livez, /readyz, /config, /version\n"
_VERSION: Final = {"version": version("extproc"), "python": python_version()}
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class _Quiet(WSGIRequestHandler):
    timeout = PATIENCE

    def get_stderr(self) -> StringIO:
        """Nobody reads a trace: the log is JSON, and whoever asks is told 500 or nothing."""
        return StringIO()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Probes come every few seconds; nobody reads a line about each."""


class _IPv4(WSGIServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of one connection, which is over; see _Quiet.get_stderr."""


class _IPv6(_IPv4):
    address_family = socket.AF_INET6


class Admin:
    """``ready()`` tells whether the sidecar serves; a draining one is alive and not ready.

    ``details()`` tells what it serves by and without, a line each; ``config()`` which policy.
    """

    def __init__(
        self,
        host: str,
        port: int,
        telemetry: Telemetry,
        ready: Callable[[], bool],
        details: Callable[[], Sequence[str]] = tuple,
        config: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._details, self._config = details, config
        self._telemetry = telemetry
        self._ready = ready
        self._server = make_server(
            host,
            port,
            self._answer,
            server_class=_IPv6 if ":" in host else _IPv4,
            handler_class=_Quiet,
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), name="admin", daemon=True
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
                with short_turns():
                    return [generate_latest(self._telemetry.registry)]
            case "/livez" | "/healthz":
                return _text(start, "200 OK", b"alive\n")
            case "/readyz" if self._ready():
                return _text(start, "200 OK", "\n".join(["ready", *self._details(), ""]).encode())
            case "/readyz":
                return _text(start, "503 Service Unavailable", b"not ready\n")
            case "/config":
                start("200 OK", [("content-type", "application/json")])
                return [orjson.dumps(self._config(), option=orjson.OPT_APPEND_NEWLINE)]
            case "/version":
                start("200 OK", [("content-type", "application/json")])
                return [orjson.dumps(_VERSION, option=orjson.OPT_APPEND_NEWLINE)]
            case _:
                return _text(start, "404 Not Found", _PATHS)


def _text(start: StartResponse, status: str, body: bytes) -> Iterable[bytes]:
    start(status, [("content-type", "text/plain")])
    return [body]
