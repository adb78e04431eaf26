from typing import Any

import pytest

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.references import unknown_clusters, unknown_filters
from tests.envoyconf import shipped
from tests.envoyconf.shipped import Edit

LOGGERS = "type.googleapis.com/envoy.extensions.access_loggers"
GRPC_LOG = {
    "name": "envoy.access_loggers.http_grpc",
    "typed_config": {
        "@type": f"{LOGGERS}.grpc.v3.HttpGrpcAccessLogConfig",
        "common_config": {"grpc_service": {"envoy_grpc": {"cluster_name": "gone"}}},
    },
}


def _aggregate(document: Document) -> None:
    kind = "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig"
    config = {"@type": kind, "clusters": ["extproc", "gone"]}
    document["static_resources"]["clusters"].append(
        {"name": "both", "cluster_type": {"typed_config": config}}
    )


NAMED: dict[str, Edit] = {
    "ext_authz": lambda d: shipped.config(d, "ext_authz")["grpc_service"].update(
        envoy_grpc={"cluster_name": "gone"}
    ),
    "ext_proc": lambda d: shipped.config(d, "ext_proc")["grpc_service"].update(
        envoy_grpc={"cluster_name": "gone"}
    ),
    "camel": lambda d: shipped.config(d, "ext_proc").update(
        grpc_service={"envoyGrpc": {"clusterName": "gone"}}
    ),
    "route": lambda d: shipped.route(d)["route"].update(cluster="gone"),
    "weighted": lambda d: shipped.route(d).update(
        route={"weighted_clusters": {"clusters": [{"name": "upstream"}, {"name": "gone"}]}}
    ),
    "mirror": lambda d: shipped.route(d)["route"].update(
        request_mirror_policies=[{"cluster": "gone"}]
    ),
    "access log": lambda d: shipped.manager(d)["access_log"].append(GRPC_LOG),
    "tracing": lambda d: d.update(
        tracing={"http": {"typed_config": {"collector_cluster": "gone"}}}
    ),
    "renamed": lambda d: shipped.cluster(d, "extproc").update(name="sidecar"),
    "aggregate": _aggregate,
}


def test_the_bootstrap_that_ships_names_only_what_it_has() -> None:
    assert unknown_clusters(shipped.document()) == []
    assert unknown_filters(shipped.document()) == []


@pytest.mark.parametrize("where", NAMED)
def test_a_cluster_that_does_not_exist_is_found(where: str) -> None:
    found = unknown_clusters(shipped.document(NAMED[where]))

    gone = "extproc" if where == "renamed" else "gone"
    assert found
    assert all(sentence.endswith(f": no cluster is called {gone!r}") for sentence in found)


def test_the_sentence_begins_with_the_path() -> None:
    (found,) = unknown_clusters(shipped.document(NAMED["mirror"]))

    assert found.startswith("static_resources.listeners[0].filter_chains[0].filters[0].")
    path, _, _ = found.partition(": ")
    assert path.endswith("routes[0].route.request_mirror_policies[0].cluster")


def test_what_names_itself_is_no_reference() -> None:
    document = shipped.document(lambda d: d.update(node={"id": "a", "cluster": "my-service"}))
    assignment = shipped.cluster(document, "upstream")["load_assignment"]
    assignment["cluster_name"] = "whatever"

    assert unknown_clusters(document) == []


@pytest.mark.parametrize("place", [shipped.route, shipped.virtual_host])
def test_a_setting_for_no_filter_is_found(place: Any) -> None:
    document = shipped.document()
    place(document)["typed_per_filter_config"] = {"ext_proc": {}, "envoy.filters.http.router": {}}

    (found,) = unknown_filters(document)

    assert found.endswith("typed_per_filter_config: no filter of this chain is called 'ext_proc'")
