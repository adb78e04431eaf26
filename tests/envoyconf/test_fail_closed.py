from typing import Any

import pytest

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.fail_closed import check_fail_closed
from tests.envoyconf import shipped
from tests.envoyconf.shipped import Edit

HTTP = "type.googleapis.com/envoy.extensions.filters.http"
WRAPPED = "type.googleapis.com/envoy.config.route.v3.FilterConfig"


def _in(name: str, **fields: Any) -> Edit:
    """Set fields of a filter's own configuration."""
    return lambda document: shipped.config(document, name).update(fields)


def _mode(**modes: str) -> Edit:
    return lambda document: shipped.config(document, "ext_proc")["processing_mode"].update(modes)


def _without_mode(field: str) -> Edit:
    return lambda document: shipped.config(document, "ext_proc")["processing_mode"].pop(field)


def _manager(**fields: Any) -> Edit:
    return lambda document: shipped.manager(document).update(fields)


def _first_filter(kind: str) -> Edit:
    added = {"name": "added", "typed_config": {"@type": f"{HTTP}.{kind}"}}
    return lambda document: shipped.manager(document)["http_filters"].insert(0, added)


def _order(*names: str) -> Edit:
    def edit(document: Document) -> None:
        filters = [shipped.entry(document, name) for name in names]
        shipped.manager(document)["http_filters"] = filters

    return edit


def _per_route(name: str, **config: Any) -> Edit:
    setting = {f"envoy.filters.http.{name}": config}
    return lambda document: shipped.route(document).update(typed_per_filter_config=setting)


def _wrapped(document: Document, name: str) -> None:
    """As Envoy has a share of requests skip a filter, which a client's header field may choose."""
    entry = shipped.entry(document, name)
    kind = "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher"
    entry["typed_config"] = {"@type": kind, "extension_config": dict(entry)}


PER_PROC = {"@type": f"{HTTP}.ext_proc.v3.ExtProcPerRoute"}
PER_AUTHZ = {"@type": f"{HTTP}.ext_authz.v3.ExtAuthzPerRoute"}
TCP = {"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"}
TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"


def _tls(document: Document, **validation: Any) -> None:
    context = {"@type": TLS, "common_tls_context": {"validation_context": validation}}
    shipped.cluster(document, "upstream")["transport_socket"] = {"typed_config": context}


def _clients(**fields: Any) -> Edit:
    """TLS towards clients."""
    kind = TLS.replace("Upstream", "Downstream")
    socket = {"typed_config": {"@type": kind, **fields}}
    return lambda document: shipped.listener(document)["filter_chains"][0].update(
        transport_socket=socket
    )


VOUCHED = {"validation_context": {"trusted_ca": {"filename": "/ca.pem"}}}
UNTRUSTED = {"trusted_ca": {"filename": "/a"}, "trust_chain_verification": "ACCEPT_UNTRUSTED"}

FAULTS: dict[str, tuple[Edit, str]] = {
    "any client certificate": (
        _clients(require_client_certificate=True),
        "common_tls_context.validation_context.trusted_ca: is missing, so that anybody can be any",
    ),
    "a client certificate by its name alone": (
        _clients(common_tls_context={"validation_context": {"match_typed_subject_alt_names": [1]}}),
        "trusted_ca: is missing, so that anybody can be any client",
    ),
    "a client certificate that nobody vouches for": (
        _clients(common_tls_context={"validation_context": UNTRUSTED}),
        "trust_chain_verification: lets anybody be any client; remove it",
    ),
    "ext_authz lets pass when it fails": (
        _in("ext_authz", failure_mode_allow=True),
        "failure_mode_allow: lets requests pass unasked",
    ),
    "ext_proc lets pass when it fails": (
        _in("ext_proc", failure_mode_allow=True),
        "failure_mode_allow: lets answers pass unread",
    ),
    "the other spelling": (_in("ext_proc", failureModeAllow=True), "failure_mode_allow: lets"),
    "a text that may mean true": (_in("ext_proc", failure_mode_allow="false"), "failure_mode"),
    "shadow mode": (_in("ext_authz", shadow_mode=True), "shadow_mode: lets denied requests pass"),
    "a share of requests": (
        _in("ext_authz", filter_enabled={"default_value": {"numerator": 50}}),
        "filter_enabled: lets requests pass unasked",
    ),
    "an empty message that is set": (_in("ext_authz", filter_enabled={}), "filter_enabled: lets"),
    "some requests": (_in("ext_authz", filter_enabled_metadata={"filter": "x"}), "metadata: lets"),
    "authorization over http": (
        _in("ext_authz", grpc_service={}, http_service={}),
        "envoy_grpc.cluster_name: must name",
    ),
    "buffered": (_mode(response_body_mode="BUFFERED"), "response_body_mode: must be FULL_DUPLEX"),
    "streamed": (_mode(request_body_mode="STREAMED"), "request_body_mode: must be FULL_DUPLEX"),
    "not implemented": (_mode(response_body_mode="GRPC"), "response_body_mode: must be FULL"),
    "no response body": (_without_mode("response_body_mode"), "response_body_mode: must be FULL"),
    "no request body": (_without_mode("request_body_mode"), "request_body_mode: must be FULL"),
    "no headers": (_mode(response_header_mode="SKIP"), "response_header_mode: must be SEND"),
    "headers by default": (_without_mode("request_header_mode"), "request_header_mode: must be"),
    "no trailers": (_mode(response_trailer_mode="SKIP"), "response_trailer_mode: must be SEND"),
    "trailers by default": (_without_mode("request_trailer_mode"), "request_trailer_mode: must"),
    "a mode by number": (_mode(response_body_mode=4), "response_body_mode: must be"),  # type: ignore[arg-type]
    "no modes": (_in("ext_proc", processing_mode={}), "response_body_mode: must be"),
    "override": (_in("ext_proc", allow_mode_override=True), "allow_mode_override: lets a message"),
    "observing only": (_in("ext_proc", observability_mode=True), "observability_mode: ignores"),
    "no refusals": (_in("ext_proc", disable_immediate_response=True), "turns refusals into errors"),
    "bodies at once": (
        _in("ext_proc", send_body_without_waiting_for_header_response=True),
        "sends bodies before their verdict",
    ),
    "lengths": (_in("ext_proc", allow_content_length_header=True), "allow_content_length_header:"),
    "hidden headers": (_in("ext_proc", forward_rules={"allowed_headers": {}}), "forward_rules:"),
    "changed requests": (_in("ext_proc", processing_request_modifier={}), "request_modifier:"),
    "changed replies": (_in("ext_proc", on_processing_response={"name": "x"}), "on_processing"),
    "no metadata": (_in("ext_proc", metadata_options={}), "untyped: must name"),
    "other metadata": (
        _in("ext_proc", metadata_options={"forwarding_namespaces": {"untyped": ["other"]}}),
        "untyped: must name envoy.filters.http.ext_authz",
    ),
    "typed metadata": (
        _in(
            "ext_proc",
            metadata_options={"forwarding_namespaces": {"typed": ["envoy.filters.http.ext_authz"]}},
        ),
        "untyped: must name",
    ),
    "routing by headers": (_in("ext_proc", route_cache_action="CLEAR"), "must be RETAIN"),
    "routing by default": (_in("ext_proc", route_cache_action="DEFAULT"), "must be RETAIN"),
    "kept headers": (_in("ext_proc", mutation_rules={"allow_envoy": True}), "disallow_is_error:"),
    "kept x-envoy": (_in("ext_proc", mutation_rules={"disallow_is_error": True}), "allow_envoy:"),
    "retries": (
        _in(
            "ext_proc", grpc_service={"envoy_grpc": {"cluster_name": "extproc"}, "retry_policy": {}}
        ),
        "grpc_service.retry_policy: sends half a body twice",
    ),
    "retries inside": (
        _in("ext_proc", grpc_service={"envoy_grpc": {"cluster_name": "x", "retry_policy": {}}}),
        "envoy_grpc.retry_policy: sends half a body twice",
    ),
    "a success by name": (_in("ext_authz", status_on_error={"code": "OK"}), "'OK' must be an err"),
    "a success by number": (_in("ext_proc", status_on_error={"code": 204}), "204 must be an error"),
    "no ext_proc": (_order("ext_authz", "router"), "must end with ext_authz, ext_proc and router"),
    "no ext_authz": (_order("ext_proc", "router"), "must end with ext_authz, ext_proc and router"),
    "ext_proc first": (_order("ext_proc", "ext_authz", "router"), "must end with ext_authz"),
    "router first": (_order("router", "ext_authz", "ext_proc"), "must end with ext_authz"),
    "two ext_proc": (
        _order("ext_proc", "ext_authz", "ext_proc", "router"),
        "http_filters[0]: ExternalProcessor is not known to be safe",
    ),
    "no filters": (_manager(http_filters=[]), "must end with ext_authz"),
    "decompressor": (_first_filter("decompressor.v3.Decompressor"), "hangs beside ext_proc"),
    "lua": (_first_filter("lua.v3.Lua"), "http_filters[0]: Lua is not known to be safe"),
    "cache": (_first_filter("cache.v3.CacheConfig"), "CacheConfig is not known to be safe"),
    "no type": (
        lambda d: shipped.manager(d)["http_filters"].insert(0, {"name": "x"}),
        "a filter of no type is not known to be safe",
    ),
    "switched off": (lambda d: shipped.entry(d, "ext_proc").update(disabled=True), "switches the"),
    "optional": (lambda d: shipped.entry(d, "ext_authz").update(is_optional=True), "is_optional:"),
    "discovered": (
        lambda d: shipped.entry(d, "ext_proc").update(config_discovery={"type_urls": []}),
        "config_discovery: comes from elsewhere",
    ),
    "upgrades": (_manager(upgrade_configs=[{"upgrade_type": "websocket"}]), "upgraded connections"),
    "upgrades of a route": (
        lambda d: shipped.route(d)["route"].update(upgrade_configs=[{"upgrade_type": "CONNECT"}]),
        "route.upgrade_configs: lets upgraded connections pass unread",
    ),
    "interim answers": (_manager(proxy100Continue=True), "proxy_100_continue: lets interim"),
    "spoofed addresses": (_manager(use_remote_address=False), "use_remote_address: must be true"),
    "a forged fingerprint": (
        _manager(early_header_mutation_extensions=[]),
        "early_header_mutation_extensions: must remove x-extproc-ja4, or clients choose",
    ),
    "trusted neighbours": (_manager(internal_address_config={}), "trusts every private address"),
    "routes from elsewhere": (_manager(rds={"route_config_name": "x"}), "rds: comes from elsewhe"),
    "hosts from elsewhere": (
        lambda d: shipped.manager(d)["route_config"].update(vhds={"config_source": {"ads": {}}}),
        "route_config.vhds: comes from elsewhere",
    ),
    "a route chosen again": (_in("ext_authz", clear_route_cache=True), "than was authorized"),
    "a credential that stays": (
        _in("ext_authz", decoder_header_mutation_rules={"disallow_all": True}),
        "decoder_header_mutation_rules: may keep header fields that the sidecar removes",
    ),
    "scoped routes": (_manager(scoped_routes={"name": "x"}), "scoped_routes: comes from elsewhere"),
    "off on a route": (_per_route("ext_proc", disabled=True, **PER_PROC), "disabled: a route must"),
    "authz off on a route": (_per_route("ext_authz", disabled=True, **PER_AUTHZ), "disabled: a"),
    "mode of a route": (
        _per_route("ext_proc", overrides={"processing_mode": {}}, **PER_PROC),
        "overrides.processing_mode: a route must not change",
    ),
    "failure of a route": (
        _per_route("ext_proc", overrides={"failure_mode_allow": True}, **PER_PROC),
        "overrides.failure_mode_allow: a route must not change",
    ),
    "authz of a route": (
        _per_route("ext_authz", check_settings={"grpc_service": {}}, **PER_AUTHZ),
        "check_settings.grpc_service: a route must not change",
    ),
    "wrapped": (
        _per_route("ext_proc", **{"@type": WRAPPED, "disabled": True}),
        "disabled: switches the filter off",
    ),
    "wrapped inside": (
        _per_route("ext_proc", **{"@type": WRAPPED, "config": {"disabled": True, **PER_PROC}}),
        "config.disabled: a route must not change the filter",
    ),
    "hidden": (
        lambda d: shipped.entry(d, "ext_proc").update(
            typed_config={"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "value": {}}
        ),
        "hides what it holds",
    ),
    "tcp": (
        lambda d: shipped.listener(d)["filter_chains"].append({"filters": [{"typed_config": TCP}]}),
        "filter_chains[1].filters[0]: only an HTTP connection manager",
    ),
    "tcp by default": (
        lambda d: shipped.listener(d).update(
            default_filter_chain={"filters": [{"typed_config": TCP}]}
        ),
        "default_filter_chain.filters[0]: only an HTTP connection manager",
    ),
    "no listener": (lambda d: d["static_resources"].update(listeners=[]), "listeners: none has"),
    "a second manager": (
        lambda d: d["static_resources"]["listeners"].append(
            {
                "api_listener": {
                    "api_listener": {**shipped.manager(d), "http_filters": []},
                }
            }
        ),
        "listeners[1].api_listener.api_listener.http_filters: must end with",
    ),
    "listeners from elsewhere": (
        lambda d: d.update(dynamic_resources={"lds_config": {"ads": {}}}),
        "dynamic_resources.lds_config: comes from elsewhere",
    ),
    "everything from elsewhere": (
        lambda d: d.update(dynamic_resources={"ads_config": {"api_type": "GRPC"}}),
        "dynamic_resources.ads_config: comes from elsewhere",
    ),
    "a changeable runtime": (
        lambda d: d["layered_runtime"]["layers"].append({"name": "admin", "admin_layer": {}}),
        "layers[1].admin_layer: lets guards of Envoy be switched off",
    ),
    "a runtime that is there and empty": (  # Envoy adds a layer for its admin page then
        lambda d: d.update(layered_runtime={}),
        "layered_runtime.layers: are none, so that Envoy adds one that it lets others change",
    ),
    "a guard switched off": (
        lambda d: d["layered_runtime"]["layers"][0]["static_layer"].update(
            {"envoy.reloadable_features.ext_proc_fail_close_spurious_resp": False}
        ),
        "ext_proc_fail_close_spurious_resp: changes how our filters fail",
    ),
    "a share of requests that skips it": (
        lambda d: _wrapped(d, "ext_proc"),
        "http_filters: must end with ext_authz, ext_proc and router",
    ),
    "an open admin page": (
        lambda d: d["admin"]["address"]["socket_address"].update(address="0.0.0.0"),
        "admin.address.socket_address.address: 0.0.0.0 lets others stop",
    ),
    "an admin page by name": (
        lambda d: d["admin"]["address"]["socket_address"].update(address="models"),
        "models lets others stop",
    ),
    "no authority": (
        lambda d: _tls(d, system_root_certs={}, match_typed_subject_alt_names=[{}]),
        "validation_context.trusted_ca: is missing",
    ),
    "any name": (
        lambda d: _tls(d, trusted_ca={"filename": "/ca.pem"}),
        "match_typed_subject_alt_names: is missing",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_way_to_fail_open_is_found(fault: str) -> None:
    edit, said = FAULTS[fault]

    found = check_fail_closed(shipped.document(edit))

    assert any(said in sentence for sentence in found), found


def test_the_sentence_begins_with_the_path() -> None:
    (found,) = check_fail_closed(shipped.document(_in("ext_proc", failure_mode_allow=True)))

    assert found == (
        "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[1]"
        ".typed_config.failure_mode_allow: lets answers pass unread when the sidecar fails;"
        " remove it"
    )


HARMLESS: dict[str, Edit] = {
    "defaults written out": _in("ext_proc", failure_mode_allow=False, allow_mode_override=False),
    "an empty list": _manager(upgrade_configs=[]),
    "a rate limit before ours": _first_filter("local_ratelimit.v3.LocalRateLimit"),
    "a compressor before ours": _first_filter("compressor.v3.Compressor"),
    "grpc metadata of a route": _per_route(
        "ext_proc", overrides={"grpc_initial_metadata": [{"key": "x", "value": "y"}]}, **PER_PROC
    ),
    "extensions of a route": _per_route(
        "ext_authz", check_settings={"context_extensions": {"policy": "gold"}}, **PER_AUTHZ
    ),
    "another filter's setting": _per_route("cors", **{"@type": f"{HTTP}.cors.v3.CorsPolicy"}),
    "a verified model server": lambda d: _tls(
        d, trusted_ca={"filename": "/ca.pem"}, match_typed_subject_alt_names=[{"san_type": "DNS"}]
    ),
    "a runtime of one's own": lambda d: d["layered_runtime"]["layers"][0]["static_layer"].update(
        {"re2.max_program_size.error_level": 200}
    ),
    "tls without client certificates": _clients(common_tls_context={"alpn_protocols": ["h2"]}),
    "client certificates that are vouched for": _clients(
        require_client_certificate=True, common_tls_context=VOUCHED
    ),
    "no admin page": lambda d: d.pop("admin"),
    "an admin page on a pipe": lambda d: d.update(admin={"address": {"pipe": {"path": "/a"}}}),
    "an error by number": _in("ext_proc", status_on_error={"code": 502}),
    "envoy's own 403 and 500": lambda d: [
        shipped.config(d, name).pop("status_on_error") for name in ("ext_authz", "ext_proc")
    ],
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_does_not_open_anything_is_not_complained_about(what: str) -> None:
    assert check_fail_closed(shipped.document(HARMLESS[what])) == []


@pytest.mark.parametrize("value", ["text", 1, None, [], [1], {}])
@pytest.mark.parametrize(
    "place",
    [
        "static_resources", "listeners", "filter_chains", "filters", "http_filters",
        "typed_config", "route_config", "layered_runtime", "admin", "processing_mode",
        "metadata_options", "grpc_service",
    ],
)  # fmt: skip
def test_a_document_of_any_shape_is_answered_with_sentences(place: str, value: Any) -> None:
    def spoil(node: Any) -> Any:
        if isinstance(node, dict):
            return {k: value if k == place else spoil(v) for k, v in node.items()}
        return [spoil(each) for each in node] if isinstance(node, list) else node

    found = check_fail_closed(spoil(shipped.document()))

    assert all(isinstance(sentence, str) for sentence in found)
    assert found or place in {"layered_runtime", "admin", "route_config"}
