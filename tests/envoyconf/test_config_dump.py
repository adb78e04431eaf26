"""What a running Envoy tells of itself, edited; real ones are looked at where real Envoys run
(test_istio.py, test_envoy_gateway.py).
"""

from collections.abc import Callable
from typing import Any

import pytest

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.config_dump import check_config_dump, is_config_dump
from tests.envoyconf import shipped

TYPE = "type.googleapis.com/envoy.admin.v3"
ROUTES = "model"
UNRELATED = {"name": "metrics", "filter_chains": [{"filters": [{"name": "tcp"}]}]}
Edit = Callable[[Any, Document], object]
"""Changes the connection manager, or the routes that it gets from elsewhere, in place."""


def dump(edit: Edit | None = None) -> Document:
    """As of a control plane: listeners and routes are dynamic, in two places."""
    bootstrap = shipped.document()
    manager, clusters = shipped.manager(bootstrap), bootstrap["static_resources"]["clusters"]
    config = {**manager.pop("route_config"), "name": ROUTES}
    manager |= {"rds": {"route_config_name": ROUTES}, "use_remote_address": False}
    if edit is not None:
        edit(manager, config)
    listeners = [UNRELATED, {**shipped.listener(bootstrap), "name": "inbound"}]
    return {
        "configs": [
            {"@type": f"{TYPE}.BootstrapConfigDump", "bootstrap": {}},
            {
                "@type": f"{TYPE}.ClustersConfigDump",
                "static_clusters": [{"cluster": clusters[0]}],
                "dynamic_active_clusters": [{"cluster": each} for each in clusters[1:]],
            },
            {
                "@type": f"{TYPE}.ListenersConfigDump",
                "dynamic_listeners": [{"active_state": {"listener": each}} for each in listeners],
            },
            {
                "@type": f"{TYPE}.RoutesConfigDump",
                "dynamic_route_configs": [{"route_config": config}],
            },
        ]
    }


def config(manager: Any, place: int) -> Any:
    return manager["http_filters"][place]["typed_config"]


def switched(*kinds: str) -> Edit:
    """As Envoy Gateway has them: off in the chain, and on at the routes for these kinds."""

    def edit(manager: Any, routes: Document) -> None:
        *ours, _ = manager["http_filters"]
        for each in ours:
            each["disabled"] = True
            for field in ("mutation_rules", "route_cache_action"):
                each["typed_config"].pop(field, None)
        [host] = routes["virtual_hosts"]
        names = [each["name"] for each in ours if each["name"].rpartition(".")[2] in kinds]
        host["routes"][0]["typed_per_filter_config"] = {name: {} for name in names}

    return edit


def test_one_is_told_from_a_bootstrap() -> None:
    assert is_config_dump(dump())
    assert not is_config_dump(shipped.document())


BOTH = ("ext_authz", "ext_proc")
SAFE: dict[str, Edit] = {
    "as it ships": lambda m, _: m,
    "a filter of the mesh's own": lambda m, _: m["http_filters"].insert(0, {"name": "stats"}),
    "switched on by the route": switched(*BOTH),
    "a redirect": lambda m, r: [
        switched(*BOTH)(m, r),
        r["virtual_hosts"][0]["routes"].append({"redirect": {}}),
    ],
}


@pytest.mark.parametrize("what", SAFE)
def test_what_opens_nothing_is_not_complained_about(what: str) -> None:
    assert check_config_dump(dump(SAFE[what])) == []


def off(_: Any, routes: Document) -> None:
    per_route = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute",
        "disabled": True,
    }
    [host] = routes["virtual_hosts"]
    host["typed_per_filter_config"] = {"envoy.filters.http.ext_proc": per_route}


FAULTS: dict[str, tuple[Edit, str]] = {
    "failing open": (
        lambda m, _: config(m, 1).update(failure_mode_allow=True),
        "failure_mode_allow: lets answers pass unread",
    ),
    "a mode": (
        lambda m, _: config(m, 1)["processing_mode"].pop("response_body_mode"),
        "response_body_mode: must be",
    ),
    "switched off": (lambda m, _: m["http_filters"][1].update(disabled=True), "nobody asks the"),
    "no ext_proc": (lambda m, _: m["http_filters"].pop(1), "http_filters: must end with"),
    "the order": (lambda m, _: m["http_filters"].insert(0, m["http_filters"].pop(1)), "must end"),
    "forged": (lambda m, _: m.pop("early_header_mutation_extensions"), "must remove x-extproc-"),
    "interim answers": (lambda m, _: m.update(proxy_100_continue=True), "interim answers (1xx)"),
    "no cluster": (
        lambda m, _: config(m, 0)["grpc_service"]["envoy_grpc"].update(cluster_name="gone"),
        "no cluster is called 'gone'",
    ),
    "off on a host": (off, "routes model.virtual_hosts[0].typed_per_filter_config"),
    "one of two switched on": (switched("ext_authz"), "routes[0]: nobody asks the sidecar"),
    "none switched on": (switched(), "routes[0]: nobody asks the sidecar"),
    "failing open, switched on": (
        lambda m, r: [switched(*BOTH)(m, r), config(m, 0).update(failure_mode_allow=True)],
        "failure_mode_allow: lets requests pass",
    ),
    "the order, switched on": (
        lambda m, r: [
            switched(*BOTH)(m, r),
            m["http_filters"].insert(0, m["http_filters"].pop(1)),
        ],
        "must have ext_authz before ext_proc",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_way_to_fail_open_is_found(fault: str) -> None:
    edit, said = FAULTS[fault]
    found = check_config_dump(dump(edit))
    assert any(said in sentence for sentence in found), found
    assert all(sentence.startswith(("listener inbound", "routes model")) for sentence in found)


def test_where_nobody_asks_that_is_said() -> None:
    [said] = check_config_dump(dump(lambda m, _: m.update(http_filters=m["http_filters"][2:])))
    assert said.startswith("configs: no listener has ext_authz and ext_proc")
    assert check_config_dump({"configs": []}) == [said]


def test_every_manager_of_a_listener_that_asks_must_ask() -> None:
    document = dump()
    [inbound] = [
        each["active_state"]["listener"]
        for each in document["configs"][2]["dynamic_listeners"]
        if each["active_state"]["listener"]["name"] == "inbound"
    ]
    [chain] = inbound["filter_chains"]
    [manager] = chain["filters"]
    other = {**manager["typed_config"], "http_filters": []}
    inbound["filter_chains"].append({"filters": [{**manager, "typed_config": other}]})
    [said] = check_config_dump(document)
    assert said == (
        "listener inbound.filter_chains[1].filters[0].typed_config.http_filters: "
        "must end with ext_authz, ext_proc and router"
    )
