"""What Envoy Gateway makes of a Backend, a SecurityPolicy and an EnvoyExtensionPolicy, and of a
ClientTrafficPolicy (v1.9).

As its translator does it: filters of all policies stand in the chain, disabled, under the name of
their policy, and a route of the policy enables them.  What it leaves at Envoy's default is left so
here, and every route takes upgrades to WebSocket.
"""

from collections.abc import Sequence
from typing import Any, Final

from extproc.envoyconf.bootstrap import Document

_AUTHZ: Final = "envoy.filters.http.ext_authz/securitypolicy/ml/extproc"
_PROC: Final = "envoy.filters.http.ext_proc/envoyextensionpolicy/ml/extproc/extproc/0"
_TYPE: Final = "type.googleapis.com/envoy"
_FILTERS: Final = f"{_TYPE}.extensions.filters.http"
_BODIES: Final = {"FullDuplexStreamed": "FULL_DUPLEX_STREAMED", "Buffered": "BUFFERED"}


def bootstrap(resources: Sequence[Document], clients: Document, upstream: int) -> Document:
    """Two routes before one model server: ``/open`` has no policy, every other has both.

    ``clients``: the ClientTrafficPolicy of their Gateway.
    """
    backend, security, extension = (each["spec"] for each in resources)
    clusters = [
        _cluster("sidecar-authz", backend, security["extAuth"]["grpc"]["backendSettings"]),
        _cluster("sidecar-proc", backend, extension["extProc"][0]["backendSettings"]),
        _model(upstream),
    ]
    listener = {
        "name": "ml/gateway/http",
        "address": _local(0),
        "default_filter_chain": {"filters": [_manager(security, extension, clients["spec"])]},
    }
    return {
        "admin": {"address": _local(0)},
        "static_resources": {"listeners": [listener], "clusters": clusters},
    }


def _manager(security: Document, extension: Document, clients: Document) -> Document:
    router = {"name": "router", "typed_config": {"@type": f"{_FILTERS}.router.v3.Router"}}
    typed = f"{_TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    config = {
        "@type": typed,
        "stat_prefix": "http",
        "use_remote_address": True,
        "normalize_path": True,
        "route_config": {"virtual_hosts": [_host()]},
        "http_filters": [_authorization(security), _processing(extension), router],
        **_clients(clients),
    }
    name = "envoy.filters.network.http_connection_manager"
    return {"name": name, "typed_config": config}


def _clients(spec: Document) -> Document:
    slashes = {"RejectRequest": "REJECT_REQUEST", "KeepUnchanged": "KEEP_UNCHANGED"}
    underscores = {"RejectRequest": "REJECT_REQUEST", "Allow": "ALLOW"}
    removed = spec["headers"]["earlyRequestHeaders"]["remove"]
    early = {
        "@type": f"{_TYPE}.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        "mutations": [{"remove": name} for name in removed],
    }
    name = "envoy.http.early_header_mutation.header_mutation"
    action = underscores[spec["headers"]["withUnderscoresAction"]]
    return {
        "merge_slashes": not spec["path"].get("disableMergeSlashes", False),
        "path_with_escaped_slashes_action": slashes[spec["path"]["escapedSlashesAction"]],
        "common_http_protocol_options": {"headers_with_underscores_action": action},
        "early_header_mutation_extensions": [{"name": name, "typed_config": early}],
    }


def _host() -> Document:
    action = {"cluster": "model", "upgrade_configs": [{"upgrade_type": "websocket"}]}
    enabled = {
        _AUTHZ: {"@type": f"{_FILTERS}.ext_authz.v3.ExtAuthzPerRoute", "check_settings": {}},
        _PROC: {"@type": f"{_TYPE}.config.route.v3.FilterConfig", "config": {}},
    }
    routes = [
        {"match": {"path_separated_prefix": "/open"}, "route": action},
        {"match": {"prefix": "/"}, "route": action, "typed_per_filter_config": enabled},
    ]
    return {"name": "host", "domains": ["*"], "routes": routes}


def _authorization(spec: Document) -> Document:
    said = spec["extAuth"]
    config = {
        "@type": f"{_FILTERS}.ext_authz.v3.ExtAuthz",
        "transport_api_version": "V3",
        "failure_mode_allow": said["failOpen"],
        "grpc_service": _service("sidecar-authz", said["timeout"]),
        "status_on_error": {"code": said["statusOnError"]},
    }
    return {"name": _AUTHZ, "disabled": True, "typed_config": config}


def _processing(spec: Document) -> Document:
    [said] = spec["extProc"]
    config = {
        "@type": f"{_FILTERS}.ext_proc.v3.ExternalProcessor",
        "failure_mode_allow": said["failOpen"],
        "grpc_service": _service("sidecar-proc", "10s"),
        "status_on_error": {"code": said["statusOnError"]},
        "allow_mode_override": said["processingMode"]["allowModeOverride"],
        "processing_mode": _modes(said["processingMode"]),
        "metadata_options": {
            "forwarding_namespaces": {"untyped": said["metadata"]["accessibleNamespaces"]},
            "receiving_namespaces": {"untyped": said["metadata"]["writableNamespaces"]},
        },
    }
    return {"name": _PROC, "disabled": True, "typed_config": config}


def _modes(said: Document) -> Document:
    found = {}
    for side in ("request", "response"):
        body = said.get(side, {}).get("body")
        duplex = body == "FullDuplexStreamed"
        found[f"{side}_header_mode"] = "SEND" if side in said else "SKIP"
        found[f"{side}_body_mode"] = _BODIES.get(str(body), "NONE")
        found[f"{side}_trailer_mode"] = "SEND" if duplex else "SKIP"
    return found


def _service(cluster: str, timeout: str) -> Document:
    return {"envoy_grpc": {"cluster_name": cluster}, "timeout": timeout}


def _cluster(name: str, backend: Document, settings: Document) -> Document:
    [endpoint] = backend["endpoints"]
    breaker, ping = settings["circuitBreaker"], settings["http2"]["connectionKeepalive"]
    keepalive = {"interval": ping["interval"], "timeout": ping["timeout"]}
    protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    options = {
        "@type": f"type.googleapis.com/{protocol}",
        "explicit_http_config": {"http2_protocol_options": {"connection_keepalive": keepalive}},
    }
    threshold = {
        "max_connections": breaker["maxConnections"],
        "max_pending_requests": breaker["maxPendingRequests"],
        "max_requests": breaker["maxParallelRequests"],
    }
    return {
        "name": name,
        "connect_timeout": "10s",
        "circuit_breakers": {"thresholds": [threshold]},
        "typed_extension_protocol_options": {protocol: options},
        "load_assignment": _assignment(name, {"pipe": {"path": endpoint["unix"]["path"]}}),
    }


def _model(port: int) -> Document:
    return {"name": "model", "load_assignment": _assignment("model", _local(port))}


def _assignment(name: str, address: Any) -> Document:
    places = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {"cluster_name": name, "endpoints": places}


def _local(port: int) -> Document:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
