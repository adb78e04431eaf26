"""Where Envoy connects to: the model server and the sidecar."""

from datetime import timedelta
from typing import Final

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    CircuitBreakersThresholds,
    Cluster,
    ClusterDiscoveryType,
    ClusterDnsLookupFamily,
)
from envoy_data_plane.envoy.config.core.v3 import (
    DataSource,
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    HttpProtocolOptions,
    KeepaliveSettings,
    TransportSocket,
)
from envoy_data_plane.envoy.config.endpoint.v3 import (
    ClusterLoadAssignment,
    Endpoint,
    LbEndpoint,
    LocalityLbEndpoints,
)
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    CertificateValidationContext,
    CommonTlsContext,
    SubjectAltNameMatcher,
    SubjectAltNameMatcherSanType,
    UpstreamTlsContext,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptions as ClusterProtocolOptions,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptionsExplicitHttpConfig,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher
from envoy_data_plane.google.protobuf import Any as Packed

from extproc.envoyconf.addresses import to_address
from extproc.envoyconf.settings import Address, Gateway, Socket, Upstream

UPSTREAM: Final = "upstream"
SIDECAR: Final = "extproc"

KIB: Final = 1024
MESSAGE: Final = 256 * KIB
"""Bytes read from a connection at once, and so about the most that one body message carries.

With Envoy's default of 1 MiB the first message may have twice that, near the 4 MiB where gRPC for
Python gives up unless told otherwise; smaller pieces cost the sidecar a wake-up each (12 MB in
pieces of 64 KiB took four times as long as in pieces of 1 MiB).
"""

# One gRPC stream per HTTP request for as long as it lasts: Envoy's default of 1024 would answer 500
# to the rest, and the sidecar has its own bound.
_SIDECAR_STREAMS: Final = 1_000_000
_UPSTREAM_REQUESTS: Final = 100_000

_PROTOCOL_KEY: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
# FULL_DUPLEX_STREAMED knows no timeout: without pings a frozen sidecar would hold every request
# until stream_idle_timeout.  The sidecar's gRPC server is told to allow them (server/app.py).
_PING: Final = KeepaliveSettings(interval=timedelta(seconds=2), timeout=timedelta(seconds=3))
_SIDECAR_PROTOCOL: Final = ClusterProtocolOptions(
    explicit_http_config=HttpProtocolOptionsExplicitHttpConfig(
        http2_protocol_options=Http2ProtocolOptions(connection_keepalive=_PING)
    )
)
# Shorter than the 5 s of uvicorn, under most model servers: a request sent on a connection
# that is just being closed is lost, and is not ours to repeat.
_IDLE: Final = HttpProtocolOptions(idle_timeout=timedelta(seconds=4))
_UPSTREAM_PROTOCOL: Final = ClusterProtocolOptions(
    common_http_protocol_options=_IDLE,
    explicit_http_config=HttpProtocolOptionsExplicitHttpConfig(
        http_protocol_options=Http1ProtocolOptions(enable_trailers=True)
    ),
)
_UPSTREAM_HTTP2: Final = ClusterProtocolOptions(
    common_http_protocol_options=_IDLE,
    explicit_http_config=HttpProtocolOptionsExplicitHttpConfig(
        http2_protocol_options=Http2ProtocolOptions(max_concurrent_streams=100)
    ),
)


def upstream(gateway: Gateway) -> Cluster:
    server = gateway.upstream
    return _cluster(
        UPSTREAM,
        server.socket,
        protocol=_UPSTREAM_HTTP2 if server.http2 else _UPSTREAM_PROTOCOL,
        most=_UPSTREAM_REQUESTS,
        tls=_tls(server, gateway.trusted_ca) if server.tls else None,
    )


def sidecar(address: Address) -> Cluster:
    return _cluster(SIDECAR, address, protocol=_SIDECAR_PROTOCOL, most=_SIDECAR_STREAMS)


def _cluster(
    name: str,
    address: Address,
    *,
    protocol: ClusterProtocolOptions,
    most: int,
    tls: TransportSocket | None = None,
) -> Cluster:
    named = isinstance(address, Socket) and not address.numeric
    return Cluster(
        name=name,
        type=ClusterDiscoveryType.STRICT_DNS if named else ClusterDiscoveryType.STATIC,
        # "localhost" has two addresses; with both, requests go to each in turn, heard or not.
        dns_lookup_family=ClusterDnsLookupFamily.V4_PREFERRED,
        connect_timeout=timedelta(seconds=2),
        per_connection_buffer_limit_bytes=MESSAGE,
        circuit_breakers=_breakers(most),
        typed_extension_protocol_options={_PROTOCOL_KEY: Packed.pack(protocol)},
        transport_socket=tls,
        load_assignment=ClusterLoadAssignment(cluster_name=name, endpoints=[_endpoints(address)]),
    )


def _breakers(most: int) -> CircuitBreakers:
    return CircuitBreakers(
        thresholds=[
            CircuitBreakersThresholds(
                max_connections=most, max_pending_requests=most, max_requests=most
            )
        ]
    )


def _endpoints(address: Address) -> LocalityLbEndpoints:
    return LocalityLbEndpoints(
        lb_endpoints=[LbEndpoint(endpoint=Endpoint(address=to_address(address)))]
    )


def _tls(server: Upstream, trusted_ca: str) -> TransportSocket:
    return TransportSocket(
        name="envoy.transport_sockets.tls",
        typed_config=Packed.pack(_verifying(server, trusted_ca)),
    )


def _verifying(server: Upstream, trusted_ca: str) -> UpstreamTlsContext:
    """Verify chain and name: without a CA, or without a name to match, Envoy accepts anybody.

    ``system_root_certs`` would read better, but Envoy 1.40 takes it and verifies nothing.
    """
    socket = server.socket
    san = (
        SubjectAltNameMatcherSanType.IP_ADDRESS
        if socket.numeric
        else SubjectAltNameMatcherSanType.DNS
    )
    return UpstreamTlsContext(
        sni="" if socket.numeric else socket.host,  # RFC 6066, section 3: no addresses
        common_tls_context=CommonTlsContext(
            alpn_protocols=["h2"] if server.http2 else [],
            validation_context=CertificateValidationContext(
                trusted_ca=DataSource(filename=trusted_ca),
                match_typed_subject_alt_names=[
                    SubjectAltNameMatcher(san_type=san, matcher=StringMatcher(exact=socket.host))
                ],
            ),
        ),
    )
