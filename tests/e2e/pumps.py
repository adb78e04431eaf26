"""Ports behind which other ports are, of which something is known or wanted besides."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import orjson
import yaml

from extproc.envoyconf.clusters import UPSTREAM

_POLL: Final = 0.02
"""Seconds until it is noticed that a port is given up."""


class _Pump(socketserver.BaseRequestHandler):
    """One connection, handed on."""

    def handle(self) -> None:
        begun = self.request.recv(3, socket.MSG_PEEK)
        port = self.server.port_of(begun)  # type: ignore[attr-defined]
        back_to = self.server.back_to  # type: ignore[attr-defined]
        with socket.create_connection(("127.0.0.1", port)) as other:
            back = threading.Thread(target=_pump, args=(other, self.request, back_to))
            back.start()
            _pump(self.request, other)
            back.join()


def _pump(source: socket.socket, sink: socket.socket, see: Callable[[bytes], object] = len) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            see(data)
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def _pumping(
    port_of: Callable[[bytes], int], back_to: Callable[[bytes], object] = len
) -> Iterator[int]:
    """A port; ``port_of`` gives what is behind it by how a connection begins, and ``back_to`` is
    told what comes from there.
    """
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Pump) as server:
        server.daemon_threads = True
        server.port_of, server.back_to = port_of, back_to  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(_POLL,))
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


@contextmanager
def either(rest: int, grpc: int) -> Iterator[int]:
    """A port behind which HTTP/1.1 is one model server, and HTTP/2 another."""
    with _pumping(lambda begun: grpc if begun == b"PRI" else rest) as port:
        yield port


@contextmanager
def recorded(port: int, into: bytearray) -> Iterator[int]:
    """A port behind which is another, with every octet that comes from there written down."""
    with _pumping(lambda _: port, into.extend) as own:
        yield own


def both_protocols(bootstrap: str) -> str:
    """The model server is asked by the protocol that the client asks by."""
    document = yaml.safe_load(bootstrap)
    (server,) = (
        each for each in document["static_resources"]["clusters"] if each["name"] == UPSTREAM
    )
    (options,) = server["typed_extension_protocol_options"].values()
    options["use_downstream_protocol_config"] = {
        **options.pop("explicit_http_config"),
        "http2_protocol_options": {},
    }
    return orjson.dumps(document).decode()
