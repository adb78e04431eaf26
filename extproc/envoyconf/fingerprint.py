"""By what TLS handshake a client came: its JA4, which the sidecar reads in a field of the request.

Rule: nobody writes that field but Envoy.  What a client wrote there is gone before any filter sees
the request, over TLS or not.  Sources: Envoy's "TLS Inspector" (enable_ja4_fingerprinting) and
"Early header mutation"; Althouse, "JA4+ Network Fingerprinting", 2023.
"""

from typing import Final

from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutation
from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValue,
    HeaderValueOption,
    HeaderValueOptionHeaderAppendAction,
    TypedExtensionConfig,
)
from envoy_data_plane.envoy.config.listener.v3 import ListenerFilter
from envoy_data_plane.envoy.extensions.filters.listener.tls_inspector.v3 import TlsInspector
from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation.v3 import (
    HeaderMutation as EarlyMutation,
)
from envoy_data_plane.google.protobuf import Any as Packed

from extproc.origin import JA4

_OVERWRITE: Final = HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
_GONE: Final = HeaderMutation(remove=JA4)
_TOLD: Final = HeaderMutation(
    append=HeaderValueOption(
        header=HeaderValue(key=JA4, value="%TLS_JA4_FINGERPRINT%"), append_action=_OVERWRITE
    )
)


def field(*, tls: bool) -> TypedExtensionConfig:
    mutation = EarlyMutation(mutations=[_GONE, _TOLD] if tls else [_GONE])
    name = "envoy.http.early_header_mutation.header_mutation"
    return TypedExtensionConfig(name=name, typed_config=Packed.pack(mutation))


def inspector() -> ListenerFilter:
    """What reads the handshake."""
    config = Packed.pack(TlsInspector(enable_ja4_fingerprinting=True))
    return ListenerFilter(name="envoy.filters.listener.tls_inspector", typed_config=config)
