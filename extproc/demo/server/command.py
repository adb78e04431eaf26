"""The process: load the models, bind, say so, serve until told to end.

Rule: standard output gets one line, when connections are accepted; what takes long says so on
standard error.
"""

import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from socket import socket
from typing import Final, NoReturn

import uvicorn

from extproc.demo.server.app import Models, create_app
from extproc.demo.server.errors import MissingWeights
from extproc.demo.server.models import digits, tabular, teachers, weight_cache
from extproc.demo.server.models.classifier import Classifier
from extproc.demo.server.models.embedder import Embedder
from extproc.demo.server.models.magika import Magika, model_directory
from extproc.demo.server.models.minilm import MiniLm
from extproc.demo.server.models.minilm_private import PrivateMiniLm
from extproc.demo.server.models.remembering import Remembering
from extproc.demo.server.models.tiny_lm import TinyLm

_CLASSIFIERS: Final[Mapping[str, Callable[[], Classifier]]] = {
    "digits": digits.regression,
    "digits-mlp": digits.perceptron,
    "digits-forest": digits.forest,
    "digits-plain": digits.plain,
    "digits-dp-8": digits.private_8,
    "digits-dp-3": digits.private_3,
    "digits-teachers": teachers.digits,
    "cancer": tabular.cancer,
    "wine": tabular.wine,
    "magika": Magika.load,
}
_EMBEDDERS: Final[Mapping[str, Callable[[Embedder], Embedder]]] = {
    "minilm": lambda minilm: minilm,
    "minilm-private": PrivateMiniLm.on,
}
_MODELS: Final = (*_CLASSIFIERS, *_EMBEDDERS, "tiny-lm")
_OF_THE_DEMO: Final = ("digits", "minilm", "tiny-lm")
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
        models = load(options.models, options.remember)
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


def load(names: Sequence[str], remembered: int = 0) -> Models:
    """Load the named models; raise MissingWeights before any other work is done in vain.

    ``remembered`` is how many texts the embedding models remember the vectors of.
    """
    if "magika" in names:
        model_directory()
    embedders = _load_embedders([name for name in _EMBEDDERS if name in names], remembered)
    classifiers = [fit() for name, fit in _CLASSIFIERS.items() if name in names]
    tiny_lm = None
    if "tiny-lm" in names:
        tiny_lm = TinyLm.load(weight_cache.directory(), _report)
    return Models(classifiers, embedders, tiny_lm)


def _load_embedders(names: Sequence[str], remembered: int) -> list[Embedder]:
    """All share one MiniLM, and what it remembers."""
    if not names:
        return []
    loaded = MiniLm.load()
    minilm = Remembering(loaded, remembered) if remembered else loaded
    return [_EMBEDDERS[name](minilm) for name in names]


def _options(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser("python -m extproc.demo.server", description="Serve the demo's models.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--models", type=_names, default=_OF_THE_DEMO, help=",".join(_MODELS))
    parser.add_argument(
        "--remember", type=int, default=0, help="texts whose embeddings are kept; none by default"
    )
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
