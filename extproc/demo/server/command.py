"""The process: load the models, bind, say so, serve until told to end.

Rule: standard output gets one line, when connections are accepted; what takes long says so on
standard error.
"""

import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from socket import socket
from typing import Final, NoReturn

import uvicorn

from extproc.demo.server.app import Models, create_app
from extproc.demo.server.errors import MissingWeights
from extproc.demo.server.models import weight_cache
from extproc.demo.server.models.digits import Digits
from extproc.demo.server.models.minilm import MiniLm
from extproc.demo.server.models.tiny_lm import TinyLm

_MODELS: Final = ("digits", "minilm", "tiny-lm")
_GRACE_SECONDS: Final = 5


class _Server(uvicorn.Server):
    """Says where it listens as soon as it does."""

    def __init__(self, config: uvicorn.Config, models: Models) -> None:
        super().__init__(config)
        self._models = models

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            host, port = server.sockets[0].getsockname()[:2]
            print(f"ready: http://{host}:{port} serves {', '.join(self._models.names)}", flush=True)


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM or SIGINT, which end the process with status 0."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    try:
        models = load(options.models)
    except MissingWeights as error:
        sys.exit(str(error))
    config = uvicorn.Config(
        create_app(models, lambda: datetime.now(UTC).timestamp(), options.pace),
        host=options.host,
        port=options.port,
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    _Server(config, models).run()


def load(names: Sequence[str]) -> Models:
    """Load the named models; raise MissingWeights before any other work is done in vain."""
    minilm = MiniLm.load() if "minilm" in names else None
    digits = Digits.fit() if "digits" in names else None
    tiny_lm = None
    if "tiny-lm" in names:
        tiny_lm = TinyLm.load(weight_cache.directory(), _report)
    return Models(digits=digits, minilm=minilm, tiny_lm=tiny_lm)


def _options(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser("python -m extproc.demo.server", description="Serve the demo's models.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--models", type=_names, default=_MODELS, help=",".join(_MODELS))
    parser.add_argument("--pace", type=float, default=0.0, help="seconds between streamed events")
    return parser.parse_args(arguments)


def _names(text: str) -> Sequence[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in _MODELS]
    if unknown:
        raise ArgumentTypeError(f"no model {unknown[0]!r}; there are {', '.join(_MODELS)}")
    return names


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _end(*_: object) -> NoReturn:
    """Also what uvicorn's repetition of the signal meets, once the last answer is sent."""
    raise SystemExit(0)
