"""Clients: one call for the usual request, and a raw connection for the unusual one."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.e2e import bodies
from tests.e2e.gateway import LiveGateway


def post(
    gateway: LiveGateway, path: str, body: bytes, tenant: str = "standard", **more: Any
) -> httpx.Response:
    """POST as a tenant, over HTTP/1.1."""
    headers = {**bodies.headers(tenant), **more.pop("headers", {})}
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        return client.post(path, content=body, headers=headers, **more)


@contextmanager
def connection(gateway: LiveGateway) -> Iterator[socket.socket]:
    """A TCP connection, for bytes that no client library would send."""
    with socket.create_connection((gateway.host, gateway.port), timeout=30) as raw:
        yield raw


def exchange(gateway: LiveGateway, request: bytes) -> bytes:
    """Send raw bytes and read until the gateway closes."""
    with connection(gateway) as raw:
        raw.sendall(request)
        received = b""
        while piece := raw.recv(65536):
            received += piece
        return received
