"""Whether an Envoy that is configured so lets no byte past the sidecar.

Rule: what is not known to be safe is refused.  Each sentence names the path in the document and
what has to change.  ``envoy --mode validate`` says whether the document is one at all.
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Final

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.walk import Place, normalised, places
from extproc.origin import JA4

AUTHZ: Final = "ExtAuthz"
PROC: Final = "ExternalProcessor"
ROUTER: Final = "Router"
MANAGER: Final = "HttpConnectionManager"
METADATA: Final = "envoy.filters.http.ext_authz"
"""The namespace of ext_authz's metadata, whatever the filter is called."""

BEFORE_OURS: Final = frozenset(
    {
        "BodySizeLimit",
        "Compressor",
        "Cors",
        "JwtAuthentication",
        "LocalRateLimit",
        "RBAC",
        "RateLimit",
    }
)
"""Filters that only refuse requests, or see answers that were processed."""

_MODES: Final = {
    "request_header_mode": "SEND",
    "request_body_mode": "FULL_DUPLEX_STREAMED",
    "request_trailer_mode": "SEND",
    "response_header_mode": "SEND",
    "response_body_mode": "FULL_DUPLEX_STREAMED",
    "response_trailer_mode": "SEND",
}

_UNSEEN: Final = "comes from elsewhere, where it cannot be checked"

_UNSET: Final[Mapping[str, Mapping[str, str]]] = {
    AUTHZ: {
        "failure_mode_allow": "lets requests pass unasked when the sidecar fails",
        "shadow_mode": "lets denied requests pass",
        "filter_enabled": "lets requests pass unasked",
        "filter_enabled_metadata": "lets requests pass unasked",
        "clear_route_cache": "has Envoy choose another route than was authorized",
        "decoder_header_mutation_rules": "may keep header fields that the sidecar removes",
    },
    PROC: {
        "failure_mode_allow": "lets answers pass unread when the sidecar fails",
        "allow_mode_override": "lets a message switch body processing off",
        "observability_mode": "ignores what the sidecar says",
        "disable_immediate_response": "turns refusals into errors",
        "send_body_without_waiting_for_header_response": "sends bodies before their verdict",
        "allow_content_length_header": "lets a wrong length reach into the next answer",
        "forward_rules": "hides header fields from the sidecar",
        "processing_request_modifier": "changes what the sidecar sees",
        "on_processing_response": "acts on what the sidecar says before Envoy does",
    },
    MANAGER: {
        "upgrade_configs": "lets upgraded connections pass unread",
        "proxy_100_continue": "lets interim answers (1xx) pass unread",
        "rds": _UNSEEN,
        "scoped_routes": _UNSEEN,
    },
    "HttpFilter": {
        "disabled": "switches the filter off",
        "is_optional": "lets Envoy start without the filter",
        "config_discovery": _UNSEEN,
    },
    "RouteConfiguration": {"vhds": _UNSEEN},
    "RouteAction": {"upgrade_configs": "lets upgraded connections pass unread"},
    "dynamic_resources": {"lds_config": _UNSEEN, "ads_config": _UNSEEN},
}
"""Fields by message that stay unset, and what setting them does."""

_PER_ROUTE: Final = {
    "ExtAuthzPerRoute": ("check_settings", {"context_extensions"}),
    "ExtProcPerRoute": ("overrides", {"grpc_initial_metadata"}),
}
"""What a route may say to our filters: one field of the message, and fields of that."""

_ERRORS: Final = frozenset({"Forbidden", "InternalServerError", "BadGateway", "ServiceUnavailable"})


def check_fail_closed(document: Document) -> list[str]:
    """One sentence for every way in which the bootstrap would not fail closed; none is good."""
    root = normalised(document)
    return [
        *_listeners(root.message("static_resources")),
        *(sentence for place in places(root) for sentence in _anywhere(place)),
        *unset(root.message("dynamic_resources"), "dynamic_resources"),
        *_runtime(root),
        *_admin(root.message("admin", "address", "socket_address")),
    ]


def _listeners(resources: Place) -> Iterator[str]:
    if all(place.type != MANAGER for place in places(resources)):
        yield f"{resources.at('listeners')}: none has an HTTP connection manager"
    for listener in resources.messages("listeners"):
        chains = listener.messages("filter_chains")
        for chain in (*chains, listener.message("default_filter_chain")):
            yield from _network_filters(chain)


def _network_filters(chain: Place) -> Iterator[str]:
    for network_filter in chain.messages("filters"):
        if network_filter.message("typed_config").type != MANAGER:
            yield f"{network_filter.path}: only an HTTP connection manager holds our filters"


def _anywhere(place: Place) -> Iterator[str]:
    if place.type == MANAGER:
        yield from _manager(place)
    elif "upgrade_configs" in place.value:
        yield from unset(place, "RouteAction")
    yield from anywhere(place)


def anywhere(place: Place) -> Iterator[str]:
    """What is wrong with a mapping wherever it stands, whoever configures its Envoy."""
    if place.type == "UpstreamTlsContext":
        yield from _verification(place)
    if place.type == "DownstreamTlsContext":
        yield from _client_verification(place)
    if place.type == "TypedStruct":
        yield f"{place.path}: hides what it holds; write the message itself"
    if place.type == "Decompressor":
        yield f"{place.path}: hangs beside ext_proc; remove accept-encoding instead"
    yield from of_routes(place)


def of_routes(place: Place) -> Iterator[str]:
    """What is wrong with what a route, or what holds routes, says to filters."""
    per_filter = place.message("typed_per_filter_config")
    for name in per_filter.value:
        yield from _per_route(per_filter.message(name))


def _verification(context: Place) -> Iterator[str]:
    """Without either of them Envoy takes any certificate; system_root_certs is not implemented."""
    validation = context.message("common_tls_context", "validation_context")
    for field in ("trusted_ca", "match_typed_subject_alt_names"):
        if not validation.value.get(field):
            yield f"{validation.at(field)}: is missing, so that anybody can be the model server"


def _client_verification(context: Place) -> Iterator[str]:
    """What Envoy tells of a client's certificate must be proven; without one it tells nothing."""
    validation = context.message("common_tls_context", "validation_context")
    if not validation.value and not context.value.get("require_client_certificate"):
        return
    if not validation.value.get("trusted_ca"):
        yield f"{validation.at('trusted_ca')}: is missing, so that anybody can be any client"
    if validation.value.get("trust_chain_verification") == "ACCEPT_UNTRUSTED":
        field = validation.at("trust_chain_verification")
        yield f"{field}: lets anybody be any client; remove it"


def _manager(manager: Place) -> Iterator[str]:
    yield from unset(manager, MANAGER)
    yield from unset(manager.message("route_config"), "RouteConfiguration")
    if manager.value.get("use_remote_address") is not True:
        yield f"{manager.at('use_remote_address')}: must be true, or clients choose their address"
    if manager.value.get("internal_address_config") == {}:
        yield f"{manager.at('internal_address_config')}: trusts every private address when empty"
    yield from forged(manager)
    filters = manager.messages("http_filters")
    types = [each.message("typed_config").type for each in filters]
    if types[-3:] != [AUTHZ, PROC, ROUTER]:
        yield f"{manager.at('http_filters')}: must end with ext_authz, ext_proc and router"
    for each, kind in zip(filters[:-3], types, strict=False):
        if kind not in BEFORE_OURS:
            yield f"{each.path}: {kind or 'a filter of no type'} is not known to be safe there"
    for each in filters:
        yield from http_filter(each)


def forged(manager: Place) -> Iterator[str]:
    """Fields by which Envoy tells of a client are no client's to write."""
    extensions = manager.messages("early_header_mutation_extensions")
    mutations = [
        mutation
        for extension in extensions
        for mutation in extension.message("typed_config").messages("mutations")
    ]
    if JA4 not in {str(each.value.get("remove", "")).lower() for each in mutations}:
        field = manager.at("early_header_mutation_extensions")
        yield f"{field}: must remove {JA4}, or clients choose what they are known by"


def http_filter(entry: Place) -> Iterator[str]:
    """What is wrong with an ``HttpFilter``; of another's, whether it is sure to be there."""
    config = entry.message("typed_config")
    yield from unset(entry, "HttpFilter")
    yield from essential(config)
    if config.type == PROC:
        yield from _processor(config)


def essential(config: Place) -> Iterator[str]:
    """Of one of our filters what every control plane can say, and has to."""
    if config.type in {AUTHZ, PROC}:
        yield from unset(config, config.type)
        yield from _service(config)
        yield from _status_on_error(config)
    if config.type == PROC:
        yield from _modes(config)


def _service(config: Place) -> Iterator[str]:
    service = config.message("grpc_service")
    envoy_grpc = service.message("envoy_grpc")
    if not envoy_grpc.value.get("cluster_name"):
        yield f"{envoy_grpc.at('cluster_name')}: must name the sidecar's cluster"
    for place in (service, envoy_grpc):
        if "retry_policy" in place.value:
            yield f"{place.at('retry_policy')}: sends half a body twice; remove it"


def _status_on_error(config: Place) -> Iterator[str]:
    status = config.message("status_on_error")
    code = status.value.get("code", 500)
    if code not in _ERRORS and not (isinstance(code, int) and code >= 400):
        yield f"{status.at('code')}: {code!r} must be an error, such as 503"


def _modes(config: Place) -> Iterator[str]:
    modes = config.message("processing_mode")
    for field, mode in _MODES.items():
        if modes.value.get(field) != mode:
            yield f"{modes.at(field)}: must be {mode}"
    forwarded = config.message("metadata_options", "forwarding_namespaces")
    if METADATA not in (forwarded.value.get("untyped") or ()):
        yield f"{forwarded.at('untyped')}: must name {METADATA}, which tells the tenant"


def _processor(config: Place) -> Iterator[str]:
    if config.value.get("route_cache_action") != "RETAIN":
        yield f"{config.at('route_cache_action')}: must be RETAIN: the route has been authorized"
    rules = config.message("mutation_rules")
    for field in ("allow_envoy", "disallow_is_error"):
        if rules.value.get(field) is not True:
            yield f"{rules.at(field)}: must be true, or headers stay that the sidecar removes"


def _per_route(config: Place) -> Iterator[str]:
    """A route may tell our filters what to pass on, and nothing else."""
    if config.type == "FilterConfig":
        yield from unset(config, "HttpFilter")
        yield from _per_route(config.message("config"))
    if config.type not in _PER_ROUTE:
        return
    only, fields = _PER_ROUTE[config.type]
    settings = config.message(only)
    refused = {config.at(field) for field in config.value.keys() - {"@type", only}}
    refused |= {settings.at(field) for field in settings.value.keys() - fields}
    for path in sorted(refused):
        yield f"{path}: a route must not change the filter; remove it"


def _runtime(root: Place) -> Iterator[str]:
    runtime = root.message("layered_runtime")
    if "layered_runtime" in root.value and not runtime.messages("layers"):
        yield f"{runtime.at('layers')}: are none, so that Envoy adds one that it lets others change"
    for layer in runtime.messages("layers"):
        for field in sorted(layer.value.keys() - {"name", "static_layer"}):
            yield f"{layer.at(field)}: lets guards of Envoy be switched off while it runs"
        static = layer.message("static_layer")
        for key in static.value:
            if "ext_proc" in key or "ext_authz" in key:
                yield f"{static.at(key)}: changes how our filters fail; remove it"


def _admin(socket: Place) -> Iterator[str]:
    host = socket.value.get("address")
    if host is not None and not _loopback(str(host)):
        yield f"{socket.at('address')}: {host} lets others stop and change Envoy"


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def unset(place: Place, kind: str) -> Iterator[str]:
    """What is set of a message of this kind and must not be.

    Fields may be written out at their default; an empty message counts as set.
    """
    for field, consequence in _UNSET[kind].items():
        if place.value.get(field) not in (None, False, []):
            yield f"{place.at(field)}: {consequence}; remove it"
