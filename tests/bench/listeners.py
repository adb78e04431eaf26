"""The shipped listener, and the same with filters taken out or sent to another sidecar.

Pure: from the rendered bootstrap to one with five listeners.
"""

from copy import deepcopy
from typing import Any, Final

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.clusters import SIDECAR
from extproc.envoyconf.http_filters import AUTHZ, PROC

PLAIN: Final = "plain"
"""Neither filter: Envoy alone."""
CHECK: Final = "check"
"""ext_authz only."""
WHOLE: Final = "whole"
"""As shipped."""
BARE_CHECK: Final = "bare check"
"""ext_authz only, answered by floor.py."""
BARE: Final = "bare"
"""As shipped, answered by floor.py."""

FLOOR: Final = "floor"
"""The cluster of floor.py."""


def with_variants(document: Document, floor: str) -> Document:
    """The bootstrap with a listener for each way; ``floor`` is the path of floor.py's socket."""
    document = deepcopy(document)
    resources = document["static_resources"]
    (shipped,), (sidecar,) = resources["listeners"], _named(resources["clusters"], SIDECAR)
    resources["clusters"].append(_moved(sidecar, floor))
    resources["listeners"] = [
        _variant(shipped, PLAIN, set(), SIDECAR),
        _variant(shipped, CHECK, {AUTHZ}, SIDECAR),
        _variant(shipped, WHOLE, {AUTHZ, PROC}, SIDECAR),
        _variant(shipped, BARE_CHECK, {AUTHZ}, FLOOR),
        _variant(shipped, BARE, {AUTHZ, PROC}, FLOOR),
    ]
    return document


def _variant(shipped: Document, name: str, kept: set[str], cluster: str) -> Document:
    listener = {**deepcopy(shipped), "name": name}
    ((manager,),) = (
        [each["typed_config"] for each in chain["filters"]] for chain in _chains(listener)
    )
    filters = manager["http_filters"]
    manager["http_filters"] = [
        each for each in filters if each["name"] in kept or each["name"] not in {AUTHZ, PROC}
    ]
    for each in manager["http_filters"]:
        if each["name"] in kept:
            each["typed_config"]["grpc_service"]["envoy_grpc"]["cluster_name"] = cluster
    return listener


def _chains(listener: Document) -> list[Document]:
    chains: list[Document] = listener["filter_chains"]
    return chains


def _named(messages: list[Document], name: str) -> list[Document]:
    return [message for message in messages if message["name"] == name]


def _moved(cluster: Document, path: str) -> Document:
    """The same cluster at another socket."""
    moved = {**deepcopy(cluster), "name": FLOOR}
    assignment = moved["load_assignment"]
    assignment["cluster_name"] = FLOOR
    ((endpoint,),) = (place["lb_endpoints"] for place in assignment["endpoints"])
    address: dict[str, Any] = {"pipe": {"path": path}}
    endpoint["endpoint"]["address"] = address
    return moved
