"""What clients may not write, tried on an Envoy that others configure."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import yaml

from extproc.envoyconf.settings import Pipe, Socket
from extproc.origin import JA4
from tests.e2e.gateway import live_gateway
from tests.e2e.upstream import Reply, Request, Upstream
from tests.envoyconf import shipped
from tests.gateway.rig import ask, standin

_FORGED: Final = f"""GET /a//b HTTP/1.1
host: a
{JA4}: forged
X-Extproc-JA4: again
x-envoy-retry-on: 5xx
x-forwarded-for: 10.0.0.1"""
_AMBIGUOUS: Final = (
    "GET /v1%2fchat HTTP/1.1\nhost: a",
    "GET / HTTP/1.1\nhost: a\nx_extproc_ja4: forged",
)


def pipe(text: str) -> Pipe:
    """Where a bootstrap of ours has the sidecar."""
    places = shipped.cluster(yaml.safe_load(text), "extproc")["load_assignment"]["endpoints"]
    return Pipe(places[0]["lb_endpoints"][0]["endpoint"]["address"]["pipe"]["path"])


def nothing_forged_passes(folder: Path, theirs: Callable[[str, int], str]) -> None:
    """Behind Envoy is a sidecar that takes nothing out, so that the model server sees what any
    sidecar would be shown.

    ``theirs`` makes of our bootstrap another one, before a model server on this port.
    """

    def lax(_: Path) -> tuple[str, ...]:
        return standin(Pipe(str(folder / "s.sock")))

    with (
        Upstream() as upstream,
        live_gateway(
            folder,
            upstream.port,
            bootstrap=lambda text: theirs(text, upstream.port),
            command=lax,
        ) as gateway,
    ):
        upstream.script = _telling
        address = Socket(gateway.host, gateway.port)
        assert b" 200 " in asyncio.run(ask(address, _FORGED))
        [seen] = upstream.requests
        assert not {JA4, "x-envoy-retry-on"} & seen.headers.keys()
        assert seen.path == "/a/b"
        for head in _AMBIGUOUS:
            assert b" 200 " not in asyncio.run(ask(address, head))
        assert len(upstream.requests) == 1


async def _telling(request: Request, reply: Reply) -> None:
    await reply.document(json.dumps(request.path).encode())
