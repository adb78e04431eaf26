"""What a running Envoy tells of its configuration (``/config_dump``), whoever configured it.

Rule: a listener that has filters of ours anywhere has them in all of its connection managers, and
they are as a bootstrap must have them.  What else a control plane put there is its own: it stands
before ours, where it can refuse requests and see answers that were processed.

Source: Envoy's "admin/v3/config_dump.proto".
"""

from collections.abc import Iterator
from typing import Final

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.fail_closed import (
    AUTHZ,
    MANAGER,
    PROC,
    ROUTER,
    essential,
    forged,
    http_filter,
    of_routes,
)
from extproc.envoyconf.references import named_clusters
from extproc.envoyconf.walk import Place, normalised, places

_OURS: Final = frozenset({AUTHZ, PROC})


def is_config_dump(document: Document) -> bool:
    return isinstance(document.get("configs"), list)


def check_config_dump(document: Document) -> list[str]:
    """One sentence for each, beginning with the listener or the routes it is of; none is good.

    Raise ConfigError where the document says a thing twice.
    """
    configs = normalised(document).messages("configs")
    routes = {str(each.value.get("name")): each for each in _routes(configs)}
    clusters = {each.value.get("name") for each in _clusters(configs)}
    managers = [
        each
        for listener in _listeners(configs)
        if any(place.type in _OURS for place in places(listener))
        for each in places(listener)
        if each.type == MANAGER
    ]
    if not managers:
        return ["configs: no listener has ext_authz and ext_proc, so that nobody asks the sidecar"]
    return [said for each in managers for said in _manager(each, routes, clusters)]


def _listeners(configs: list[Place]) -> Iterator[Place]:
    for config in configs:
        for each in config.messages("static_listeners"):
            yield _named("listener", each.message("listener"))
        for each in config.messages("dynamic_listeners"):
            yield _named("listener", each.message("active_state", "listener"))


def _routes(configs: list[Place]) -> Iterator[Place]:
    for config in configs:
        for field in ("static_route_configs", "dynamic_route_configs"):
            for each in config.messages(field):
                yield _named("routes", each.message("route_config"))


def _clusters(configs: list[Place]) -> Iterator[Place]:
    for config in configs:
        for field in ("static_clusters", "dynamic_active_clusters"):
            yield from (each.message("cluster") for each in config.messages(field))


def _named(what: str, place: Place) -> Place:
    return Place(f"{what} {place.value.get('name')}", place.value)


def _manager(manager: Place, known: dict[str, Place], clusters: set[object]) -> Iterator[str]:
    filters = manager.messages("http_filters")
    ours = [each for each in filters if each.message("typed_config").type in _OURS]
    name = str(manager.message("rds").value.get("route_config_name"))
    routes = known.get(name, manager.message("route_config"))
    yield from forged(manager)
    if manager.value.get("proxy_100_continue"):
        yield f"{manager.at('proxy_100_continue')}: lets interim answers (1xx) pass unread"
    if any(each.value.get("disabled") for each in ours):
        ours = [each for each in ours if each.value.get("disabled")]
        yield from _switched_on(manager, ours, routes)
        checked = [said for each in ours for said in essential(each.message("typed_config"))]
    else:
        ours = filters[-3:-1]
        if [each.message("typed_config").type for each in filters[-3:]] != [AUTHZ, PROC, ROUTER]:
            yield f"{manager.at('http_filters')}: must end with ext_authz, ext_proc and router"
        checked = [said for each in ours for said in http_filter(each)]
    yield from checked
    for place in places(routes):
        yield from of_routes(place)
    for path, cluster in (found for e in ours for p in places(e) for found in named_clusters(p)):
        if cluster not in clusters:
            yield f"{path}: no cluster is called {cluster!r}"


def _switched_on(manager: Place, ours: list[Place], routes: Place) -> Iterator[str]:
    """Envoy Gateway has filters in the chain, switched off, which routes switch on."""
    kinds = [each.message("typed_config").type for each in ours]
    if kinds != sorted(kinds, key=[AUTHZ, PROC].index):
        yield f"{manager.at('http_filters')}: must have ext_authz before ext_proc"
    names: dict[str, set[object]] = {AUTHZ: set(), PROC: set()}
    for each in ours:
        names[each.message("typed_config").type].add(each.value.get("name"))
    for host in routes.messages("virtual_hosts"):
        for route in host.messages("routes"):
            on = route.message("typed_per_filter_config").value.keys()
            if route.value.get("route") and not all(on & each for each in names.values()):
                yield f"{route.path}: nobody asks the sidecar about it; label its HTTPRoute"
