"""Istio's EnvoyFilter: our cluster and our two filters, in the proxies of pods with the sidecar.

What clients may write, and how a path is read, is the same there as in our own bootstrap: neither
is by Istio's defaults, and what a route removes is removed behind our filters.

Rule: only pods that were injected are selected.  The filter reaches running pods at once and the
sidecar only new ones, so that a filter for all would fail every request of the pods between the two
(closed, as it should).  And no port is named: what a Service does not declare goes through the
catch-all chain, which a port would leave out.

Source: Istio's reference of EnvoyFilter.  ``INSERT_BEFORE`` the router, since ``filterClass`` is
not implemented (istio/istio#51177) and ``ADD`` appends behind the router, which Envoy refuses.
"""

from typing import Any, Final

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.settings import Address
from extproc.envoyconf.typed import typed

INJECTED: Final = {"extproc.dev/injected": "true"}
"""What labels a pod that has the sidecar."""
_CONTEXT: Final = "SIDECAR_INBOUND"
_MANAGER: Final = "envoy.filters.network.http_connection_manager"
_ROUTER: Final = "envoy.filters.http.router"
EVERY_MANAGER: Final[dict[str, Any]] = {
    "context": _CONTEXT,
    "listener": {"filterChain": {"filter": {"name": _MANAGER}}},
}
BEFORE_ROUTER: Final[dict[str, Any]] = {
    "context": _CONTEXT,
    "listener": {"filterChain": {"filter": {"name": _MANAGER, "subFilter": {"name": _ROUTER}}}},
}


def envoy_filter(sidecar: Address, *, peer_certificate: bool = False) -> Document:
    """``networking.istio.io/v1alpha3``, without a namespace: that of the pods it is for.

    ``peer_certificate``: whether the sidecar is told the client's; its URI it is told anyway.

    Raise ConfigError when the package of Envoy's types is not installed.
    """
    parts = typed("parts")
    before_router = [
        _before_router(each) for each in parts.filters(peer_certificate=peer_certificate)
    ]
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "extproc"},
        "spec": {
            "workloadSelector": {"labels": INJECTED},
            "configPatches": [
                _cluster(parts.cluster(sidecar)),
                _manager(parts.manager()),
                *before_router,
            ],
        },
    }


def _cluster(cluster: Document) -> dict[str, Any]:
    return {
        "applyTo": "CLUSTER",
        "match": {"context": _CONTEXT},
        "patch": {"operation": "ADD", "value": cluster},
    }


def _manager(fields: Document) -> dict[str, Any]:
    """``MERGE`` is protobuf's: of a list it appends, of a message it sets what is given."""
    return {
        "applyTo": "NETWORK_FILTER",
        "match": EVERY_MANAGER,
        "patch": {"operation": "MERGE", "value": {"name": _MANAGER, "typed_config": fields}},
    }


def _before_router(http_filter: Document) -> dict[str, Any]:
    """Each before the router and so behind the one before it."""
    return {
        "applyTo": "HTTP_FILTER",
        "match": BEFORE_ROUTER,
        "patch": {"operation": "INSERT_BEFORE", "value": http_filter},
    }
