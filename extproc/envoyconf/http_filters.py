"""The HTTP filters, in order: who may ask, what may pass, and on to the model server."""

from datetime import timedelta
from typing import Final

import betterproto2
from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutationRules
from envoy_data_plane.envoy.config.core.v3 import ApiVersion, GrpcService, GrpcServiceEnvoyGrpc
from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import ExtAuthz
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ExternalProcessor,
    ExternalProcessorRouteCacheAction,
    MetadataOptions,
    MetadataOptionsMetadataNamespaces,
    ProcessingMode,
    ProcessingModeBodySendMode,
    ProcessingModeHeaderSendMode,
)
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
from envoy_data_plane.envoy.type.v3 import HttpStatus, StatusCode
from envoy_data_plane.google.protobuf import Any as Packed

from extproc.envoyconf.clusters import SIDECAR

AUTHZ: Final = "envoy.filters.http.ext_authz"
"""Also the namespace of its dynamic metadata, whatever the filter is called."""
JWT_AUTHN: Final = "envoy.filters.http.jwt_authn"
"""The namespace of the dynamic metadata of Envoy's own filter for tokens."""
PROC: Final = "envoy.filters.http.ext_proc"
VERDICT: Final = "extproc"
"""The namespace of the dynamic metadata in which the sidecar says how an exchange ended."""

_SEND: Final = ProcessingModeHeaderSendMode.SEND
_DUPLEX: Final = ProcessingModeBodySendMode.FULL_DUPLEX_STREAMED
# A burst of thousands waits its turn; a frozen sidecar is noticed earlier, by clusters.py's pings.
_DECISION: Final = timedelta(seconds=10)
_UNAVAILABLE: Final = HttpStatus(code=StatusCode.ServiceUnavailable)


def chain(*, peer_certificate: bool = False) -> list[HttpFilter]:
    """ext_authz comes first: its metadata is what ext_proc knows the tenant by."""
    return [
        _filter(AUTHZ, _authz(peer_certificate=peer_certificate)),
        _filter(PROC, _proc()),
        # x-envoy-upstream-service-time would tell how long the model took.
        _filter("envoy.filters.http.router", Router(suppress_envoy_headers=True)),
    ]


def _authz(*, peer_certificate: bool) -> ExtAuthz:
    return ExtAuthz(
        grpc_service=_sidecar(_DECISION),
        transport_api_version=ApiVersion.V3,
        status_on_error=_UNAVAILABLE,
        validate_mutations=True,
        # What a filter jwt_authn before it found out: there is none unless an operator adds one.
        metadata_context_namespaces=[JWT_AUTHN],
        include_peer_certificate=peer_certificate,
    )


def _proc() -> ExternalProcessor:
    return ExternalProcessor(
        # No timeout and no retries: a stream lasts as long as its request, and a second one
        # would see half a body.
        grpc_service=_sidecar(None),
        status_on_error=_UNAVAILABLE,
        processing_mode=ProcessingMode(
            request_header_mode=_SEND,
            response_header_mode=_SEND,
            request_body_mode=_DUPLEX,
            response_body_mode=_DUPLEX,
            request_trailer_mode=_SEND,
            response_trailer_mode=_SEND,
        ),
        # A header that Envoy would not let us take out must not stay in silently.
        mutation_rules=HeaderMutationRules(allow_envoy=True, disallow_is_error=True),
        metadata_options=MetadataOptions(
            forwarding_namespaces=MetadataOptionsMetadataNamespaces(untyped=[AUTHZ]),
            receiving_namespaces=MetadataOptionsMetadataNamespaces(untyped=[VERDICT]),
        ),
        # A route chosen before the tenant was known is kept, whatever headers change.
        route_cache_action=ExternalProcessorRouteCacheAction.RETAIN,
    )


def _sidecar(timeout: timedelta | None) -> GrpcService:
    return GrpcService(envoy_grpc=GrpcServiceEnvoyGrpc(cluster_name=SIDECAR), timeout=timeout)


def _filter(name: str, config: betterproto2.Message) -> HttpFilter:
    return HttpFilter(name=name, typed_config=Packed.pack(config))
