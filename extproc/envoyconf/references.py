"""Names in a bootstrap that nothing answers to.

``envoy --mode validate`` accepts them.  A missing cluster of a filter then fails every request, or
with Envoy before 1.39 lets every one of them pass; a per-filter setting for a name that no filter
has is ignored.
"""

from collections.abc import Iterator
from typing import Any, Final

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.walk import Place, normalised, places

_NAMING: Final = (
    "cluster",
    "cluster_name",
    "cluster_names",
    "collector_cluster",
    "local_cluster_name",
)
"""Fields that name clusters of the bootstrap, wherever they stand."""


def unknown_clusters(document: Document) -> list[str]:
    """One sentence for every cluster that is named somewhere and does not exist."""
    root = normalised(document)
    clusters = root.message("static_resources").messages("clusters")
    known = {cluster.value.get("name") for cluster in clusters}
    return [
        f"{path}: no cluster is called {name!r}"
        for place in places(root)
        for path, name in named_clusters(place)
        if name not in known
    ]


def unknown_filters(document: Document) -> list[str]:
    """One sentence for every ``typed_per_filter_config`` whose filter is not in its chain."""
    managers = [place for place in places(normalised(document)) if "http_filters" in place.value]
    return [sentence for manager in managers for sentence in _unknown_filters(manager)]


def named_clusters(place: Place) -> Iterator[tuple[str, str]]:
    """Where one mapping, by itself, names which clusters."""
    # Those two name themselves: a service in the mesh, and the cluster they stand in.
    if place.path == "node" or place.path.endswith("load_assignment"):
        return
    for field in _NAMING:
        yield from _names(place.at(field), place.value.get(field))
    if place.path.endswith("weighted_clusters") or place.type == "ClusterConfig":
        yield from _names(place.at("clusters"), place.value.get("clusters"))


def _names(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """A name, a list of names, or a list of messages that have one."""
    if isinstance(value, dict):
        path, value = f"{path}.name", value.get("name")
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _names(f"{path}[{index}]", each)
    elif value:
        yield path, str(value)


def _unknown_filters(manager: Place) -> Iterator[str]:
    known = {each.value.get("name") for each in manager.messages("http_filters")}
    for place in places(manager):
        per_filter = place.message("typed_per_filter_config")
        for name in per_filter.value:
            if name not in known:
                yield f"{per_filter.path}: no filter of this chain is called {name!r}"
