"""The bootstrap that ships, and ways to its parts."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from extproc.envoyconf.bootstrap import Document, bootstrap
from extproc.envoyconf.settings import Gateway, parse_upstream

FILE = Path(__file__).parents[2] / "envoy" / "bootstrap.yaml"
GATEWAY = Gateway(upstream=parse_upstream("http://127.0.0.1:8000"))

Edit = Callable[[Document], object]
"""Changes a document in place."""


@cache
def _rendered() -> Document:
    return bootstrap(GATEWAY)


def document(*edits: Edit) -> Document:
    """A copy to change at will."""
    copy = deepcopy(_rendered())
    for edit in edits:
        edit(copy)
    return copy


def listener(of: Document) -> Any:
    return of["static_resources"]["listeners"][0]


def manager(of: Document) -> Any:
    return listener(of)["filter_chains"][0]["filters"][0]["typed_config"]


def virtual_host(of: Document) -> Any:
    return manager(of)["route_config"]["virtual_hosts"][0]


def route(of: Document) -> Any:
    return virtual_host(of)["routes"][0]


def entry(of: Document, name: str) -> Any:
    """The HTTP filter with this last part of its name: ext_authz, ext_proc, router."""
    (found,) = (e for e in manager(of)["http_filters"] if e["name"].endswith(f".{name}"))
    return found


def config(of: Document, name: str) -> Any:
    return entry(of, name)["typed_config"]


def cluster(of: Document, name: str) -> Any:
    (found,) = (c for c in of["static_resources"]["clusters"] if c["name"] == name)
    return found
