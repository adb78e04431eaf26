"""How clients connect: TLS, and a certificate of their own where the policy knows them by it.

Rule: a certificate that no authority of ours vouches for ends the handshake, so that what Envoy
tells ext_authz of a certificate is proven.
"""

from envoy_data_plane.envoy.config.core.v3 import DataSource, TransportSocket
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    CertificateValidationContext,
    CommonTlsContext,
    DownstreamTlsContext,
    TlsCertificate,
    TlsParameters,
    TlsParametersTlsProtocol,
)
from envoy_data_plane.google.protobuf import Any as Packed

from extproc.envoyconf.settings import Tls


def render(tls: Tls) -> TransportSocket:
    context = DownstreamTlsContext(
        common_tls_context=CommonTlsContext(
            tls_params=TlsParameters(tls_minimum_protocol_version=TlsParametersTlsProtocol.TLSv1_2),
            tls_certificates=[
                TlsCertificate(
                    certificate_chain=DataSource(filename=tls.certificate),
                    private_key=DataSource(filename=tls.key),
                )
            ],
            validation_context=_verifying(tls.client_ca) if tls.client_ca else None,
            alpn_protocols=["h2", "http/1.1"],
        ),
        require_client_certificate=True if tls.client_ca else None,
    )
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=Packed.pack(context))


def _verifying(authorities: str) -> CertificateValidationContext:
    return CertificateValidationContext(trusted_ca=DataSource(filename=authorities))
