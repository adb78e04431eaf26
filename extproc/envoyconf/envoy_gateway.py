"""Envoy Gateway's resources: where the sidecar is, and the two policies that have Envoy ask it.

Rule: both policies are for the same routes.  One of them alone is no protection: without ext_authz
the sidecar ends every stream, but without ext_proc it is never asked about an answer.  They are in
the namespace of the routes, so that a namespace is added, or taken back, by itself.

Sources: Envoy Gateway's reference of the extension API ``gateway.envoyproxy.io/v1alpha1`` (v1.9),
where ``FullDuplexStreamed`` sends trailers too, and ``request`` and ``response`` headers.
"""

from typing import Any, Final

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.settings import Address, Pipe
from extproc.errors import ConfigError

PROTECTED: Final = {"extproc.dev/protect": "true"}
"""What labels a route whose answers the sidecar processes."""
_API: Final = "gateway.envoyproxy.io/v1alpha1"
_GROUP: Final = "gateway.envoyproxy.io"
_METADATA: Final = "envoy.filters.http.ext_authz"
_VERDICT: Final = "extproc"
_NAME: Final = "extproc"
# One stream per request for as long as it lasts: the default of 1024 would answer 500 to the rest.
_STREAMS: Final = 1_000_000
# No timeout of ext_proc's ends a stream in this mode: pings notice a sidecar that is frozen.
_SETTINGS: Final = {
    "circuitBreaker": {
        "maxConnections": _STREAMS,
        "maxPendingRequests": _STREAMS,
        "maxParallelRequests": _STREAMS,
    },
    "http2": {"connectionKeepalive": {"interval": "3s", "timeout": "2s"}},
}


def resources(sidecar: Address) -> list[Document]:
    """A Backend, a SecurityPolicy and an EnvoyExtensionPolicy, without a namespace.

    Raise ConfigError where the sidecar is not on a Unix socket: it is beside Envoy in its pod.
    """
    if not isinstance(sidecar, Pipe):
        raise ConfigError(
            f"listen: {sidecar} is no Unix socket, by which Envoy Gateway's proxies reach "
            "the sidecar beside them; write unix:///run/extproc/extproc.sock"
        )
    return [
        _resource("Backend", {"endpoints": [{"unix": {"path": sidecar.path}}]}),
        _resource("SecurityPolicy", {**_targets(), "extAuth": _authorization()}),
        _resource("EnvoyExtensionPolicy", {**_targets(), "extProc": [_processing()]}),
    ]


def _authorization() -> dict[str, Any]:
    return {
        "failOpen": False,
        "statusOnError": 503,
        "timeout": "10s",
        "grpc": {"backendRefs": _sidecar(), "backendSettings": _SETTINGS},
    }


def _processing() -> dict[str, Any]:
    return {
        "failOpen": False,
        "statusOnError": 503,
        "backendRefs": _sidecar(),
        "backendSettings": _SETTINGS,
        "processingMode": {
            "allowModeOverride": False,
            "request": {"body": "FullDuplexStreamed"},
            "response": {"body": "FullDuplexStreamed"},
        },
        "metadata": {"accessibleNamespaces": [_METADATA], "writableNamespaces": [_VERDICT]},
    }


def _sidecar() -> list[dict[str, str]]:
    return [{"group": _GROUP, "kind": "Backend", "name": _NAME}]


def _targets() -> dict[str, Any]:
    kinds = ("HTTPRoute", "GRPCRoute")
    group = "gateway.networking.k8s.io"
    return {
        "targetSelectors": [
            {"group": group, "kind": kind, "matchLabels": PROTECTED} for kind in kinds
        ]
    }


def _resource(kind: str, spec: dict[str, Any]) -> Document:
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": _NAME}, "spec": spec}
