"""What Envoy accepts from clients, and the one route to the model server.

Follows Envoy's "Configuring Envoy as an edge proxy", with smaller bounds.
"""

from datetime import timedelta
from typing import Final

from envoy_data_plane.envoy.config.core.v3 import (
    CidrRange,
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    HttpProtocolOptions,
    HttpProtocolOptionsHeadersWithUnderscoresAction,
)
from envoy_data_plane.envoy.config.listener.v3 import Filter, FilterChain, Listener
from envoy_data_plane.envoy.config.route.v3 import (
    Route,
    RouteAction,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpConnectionManagerForwardClientCertDetails,
    HttpConnectionManagerInternalAddressConfig,
    HttpConnectionManagerPathWithEscapedSlashesAction,
    HttpConnectionManagerServerHeaderTransformation,
)
from envoy_data_plane.google.protobuf import Any as Packed

from extproc.envoyconf import access_log, client_tls, fingerprint, http_filters, local_replies
from extproc.envoyconf.addresses import to_address
from extproc.envoyconf.clusters import KIB, MESSAGE, UPSTREAM
from extproc.envoyconf.settings import Gateway

# "x_tenant" and "x-tenant" are one name to WSGI servers.
_UNDERSCORES: Final = HttpProtocolOptionsHeadersWithUnderscoresAction.REJECT_REQUEST
_SLASHES: Final = HttpConnectionManagerPathWithEscapedSlashesAction.REJECT_REQUEST
_COMMON: Final = HttpProtocolOptions(
    idle_timeout=timedelta(minutes=5),
    max_stream_duration=timedelta(hours=1),
    headers_with_underscores_action=_UNDERSCORES,
)
# Without enable_trailers Envoy drops trailers of HTTP/1 unseen, instead of showing them to us.
_HTTP1: Final = Http1ProtocolOptions(accept_http_10=True, enable_trailers=True)
# Whose x-envoy-* headers set timeouts and retries.  An empty message would mean every private
# address, as does none before Envoy 1.33; nobody has this one.
_NOBODY: Final = HttpConnectionManagerInternalAddressConfig(
    cidr_ranges=[CidrRange(address_prefix="255.255.255.255", prefix_len=32)]
)
_HTTP2: Final = Http2ProtocolOptions(
    max_concurrent_streams=100,
    initial_stream_window_size=64 * KIB,
    initial_connection_window_size=1024 * KIB,
)


def render(gateway: Gateway) -> Listener:
    manager = Filter(
        name="envoy.filters.network.http_connection_manager",
        typed_config=Packed.pack(_manager(gateway)),
    )
    socket = client_tls.render(gateway.tls) if gateway.tls is not None else None
    return Listener(
        name="clients",
        address=to_address(gateway.listen),
        per_connection_buffer_limit_bytes=MESSAGE,
        listener_filters=[fingerprint.inspector()] if gateway.tls is not None else [],
        filter_chains=[FilterChain(filters=[manager], transport_socket=socket)],
    )


def unambiguous() -> HttpConnectionManager:
    """Of a connection manager that is another's: what makes a request mean the same to everybody,
    and has nobody write what Envoy tells us of a client.
    """
    return HttpConnectionManager(
        early_header_mutation_extensions=[fingerprint.field(tls=False)],
        merge_slashes=True,
        path_with_escaped_slashes_action=_SLASHES,
        common_http_protocol_options=HttpProtocolOptions(
            headers_with_underscores_action=_UNDERSCORES
        ),
    )


def _manager(gateway: Gateway) -> HttpConnectionManager:
    return HttpConnectionManager(
        stat_prefix="clients",
        route_config=_routes(gateway),
        http_filters=http_filters.chain(peer_certificate=gateway.peer_certificate),
        access_log=access_log.render(),
        local_reply_config=local_replies.render(),
        server_header_transformation=HttpConnectionManagerServerHeaderTransformation.PASS_THROUGH,
        # The peer is the client: what it says of itself in X-Forwarded-For is not believed.
        use_remote_address=True,
        # Nor what it says of its certificate: X-Forwarded-Client-Cert is taken out.
        forward_client_cert_details=(HttpConnectionManagerForwardClientCertDetails.SANITIZE),
        early_header_mutation_extensions=[fingerprint.field(tls=gateway.tls is not None)],
        internal_address_config=_NOBODY,
        # One path for the policy and the model server to read.
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action=_SLASHES,
        max_request_headers_kb=32,
        request_headers_timeout=timedelta(seconds=10),
        request_timeout=timedelta(minutes=2),  # for the request to arrive whole, not to be answered
        stream_idle_timeout=gateway.stream_idle,
        common_http_protocol_options=_COMMON,
        http_protocol_options=_HTTP1,
        http2_protocol_options=_HTTP2,
    )


def _routes(gateway: Gateway) -> RouteConfiguration:
    """One route for every path: a request without a route never meets ext_authz."""
    return RouteConfiguration(
        name="models",
        virtual_hosts=[
            VirtualHost(
                name="models",
                domains=["*"],
                routes=[Route(match=RouteMatch(prefix="/"), route=_to_upstream(gateway))],
                # The sidecar reads plain bodies; a decompressor beside ext_proc hangs
                # (envoyproxy/envoy#21205).
                request_headers_to_remove=["accept-encoding", "grpc-accept-encoding"],
            )
        ],
    )


def _to_upstream(gateway: Gateway) -> RouteAction:
    return RouteAction(
        cluster=UPSTREAM,
        # The client's Host must not choose among what the model server hosts.
        host_rewrite_literal=gateway.upstream.authority,
        timeout=timedelta(0),  # an answer may stream for long; stream_idle_timeout bounds it
        idle_timeout=gateway.stream_idle,
    )
