"""Whether Istio's EnvoyFilters leave no byte past the sidecar.

Rule: as in a bootstrap, what is not known to be safe is refused.  An EnvoyFilter that has nothing
of ours is looked at too: it may change what another one puts there.  What Istio makes of them is
not seen here; ``/config_dump`` of the proxy shows that.
"""

from collections.abc import Iterator
from typing import Final

from extproc.envoyconf.fail_closed import (
    AUTHZ,
    BEFORE_OURS,
    MANAGER,
    PROC,
    anywhere,
    forged,
    http_filter,
    unset,
)
from extproc.envoyconf.istio import BEFORE_ROUTER, EVERY_MANAGER, INJECTED
from extproc.envoyconf.references import named_clusters
from extproc.envoyconf.walk import Manifest, Place, normalised, places

_ELSEWHERE: Final = frozenset({"SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"})


def asks(manifest: Manifest) -> bool:
    """Whether it has a filter of ours, put wherever."""
    return any(_is_ours(each) for each in manifest.spec.messages("configPatches"))


def problems(filters: list[Manifest]) -> list[str]:
    """Of those of one namespace.  Raise ConfigError where a message says a thing twice."""
    every = [patch for each in filters for patch in _inbound(each.spec)]
    known = {_value(each).value.get("name") for each in every if _adds_cluster(each)}
    found = [said for each in every for said in _patch(each)]
    for each in filters:
        if asks(each):
            patches = _inbound(each.spec)
            found += [*_selection(each.spec), *_order(each.spec, patches)]
            found += [*_manager(each.spec, patches), *_clusters(patches, known)]
    return found


def _inbound(spec: Place) -> list[Place]:
    patches = spec.messages("configPatches")
    return [
        each for each in patches if each.message("match").value.get("context") not in _ELSEWHERE
    ]


def _operation(patch: Place) -> str:
    return str(patch.message("patch").value.get("operation", ""))


def _value(patch: Place) -> Place:
    place = patch.message("patch", "value")
    return normalised(place.value, place.path)


def _adds_cluster(patch: Place) -> bool:
    return patch.value.get("applyTo") == "CLUSTER" and _operation(patch) == "ADD"


def _is_ours(patch: Place) -> bool:
    kind = _value(patch).message("typed_config").type
    return patch.value.get("applyTo") == "HTTP_FILTER" and kind in {AUTHZ, PROC}


def _patch(patch: Place) -> Iterator[str]:
    value, operation = _value(patch), _operation(patch)
    for place in places(value):
        yield from anywhere(place)
    match patch.value.get("applyTo"):
        case "HTTP_FILTER" if _is_ours(patch):
            yield from _placed(patch)
            yield from http_filter(value)
        case "HTTP_FILTER":
            kind = value.message("typed_config").type
            if kind not in BEFORE_OURS or operation != "INSERT_FIRST":
                yield f"{patch.path}: {operation} of {kind or 'a filter'} is not known to be safe"
        case "NETWORK_FILTER":
            yield from _network_filter(patch, value.message("typed_config"))
        case "CLUSTER" if operation == "REMOVE":
            yield f"{patch.path}: removes a cluster, which may be the sidecar's"
        case "FILTER_CHAIN" | "LISTENER" | "BOOTSTRAP" as kind if not _tunes(kind, patch):
            yield f"{patch.path}: {operation} of a {kind} is not known to be safe"
        case _:
            pass


def _tunes(kind: str, patch: Place) -> bool:
    """Whether it changes a listener, and makes no way that leads past our filters."""
    ways = {"filter_chains", "default_filter_chain", "api_listener", "address"}
    merges = kind == "LISTENER" and _operation(patch) == "MERGE"
    return merges and not ways & _value(patch).value.keys()


def _placed(patch: Place) -> Iterator[str]:
    if _operation(patch) != "INSERT_BEFORE":
        yield f"{patch.message('patch').at('operation')}: must be INSERT_BEFORE"
    if patch.value.get("match") != BEFORE_ROUTER:
        yield f"{patch.at('match')}: must be the router of every inbound port, or some are left out"


def _network_filter(patch: Place, config: Place) -> Iterator[str]:
    if _operation(patch) != "MERGE":
        yield f"{patch.path}: {_operation(patch)} of a network filter is not known to be safe"
    if config.type == MANAGER:
        yield from unset(config, MANAGER)
        if config.value.get("http_filters"):
            yield f"{config.at('http_filters')}: adds filters behind the router; insert them"


def _selection(spec: Place) -> Iterator[str]:
    selector = spec.message("workloadSelector", "labels")
    for label in sorted(selector.value.keys() - INJECTED.keys()):
        yield f"{selector.path}: {label} leaves out pods that have the sidecar; remove it"
    for label, value in INJECTED.items():
        if selector.value.get(label, value) != value:
            yield f"{selector.path}: {label} must be {value}, as of pods that have the sidecar"
    if spec.value.get("targetRefs"):
        yield f"{spec.at('targetRefs')}: leaves out pods that have the sidecar; remove it"


def _order(spec: Place, patches: list[Place]) -> Iterator[str]:
    ours = [_value(each).message("typed_config").type for each in patches if _is_ours(each)]
    if ours != [AUTHZ, PROC]:
        yield f"{spec.at('configPatches')}: must insert ext_authz and then ext_proc, once each"


def _manager(spec: Place, patches: list[Place]) -> Iterator[str]:
    merged = [
        _value(each).message("typed_config")
        for each in patches
        if each.value.get("applyTo") == "NETWORK_FILTER"
        and each.value.get("match") == EVERY_MANAGER
    ]
    said = [[*forged(each)] for each in merged]
    if not said:
        yield from forged(spec.message("configPatches"))
    elif all(said):
        yield from said[0]


def _clusters(patches: list[Place], known: set[object]) -> Iterator[str]:
    for patch in patches:
        if not _is_ours(patch):
            continue
        for place in places(_value(patch)):
            for path, name in named_clusters(place):
                if name not in known:
                    yield f"{path}: no cluster is called {name!r}"
