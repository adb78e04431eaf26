"""Envoy's own replies that the sidecar never sees, in the words the sidecar would have used.

Those are errors of the HTTP codec, failures of ext_proc itself, and a model server that is lost
while its answer is held.  Rule: every reply of Envoy's gets its body from here, except what the
sidecar wrote; Envoy's texts name hosts, reasons and limits.  The sidecar's own are let through
first, whatever their status: an expression that some of them alone are held against takes time
that a client can measure.
"""

from typing import Final

from envoy_data_plane.envoy.config.accesslog.v3 import (
    AccessLogFilter,
    ComparisonFilter,
    ComparisonFilterOp,
    ExtensionFilter,
    StatusCodeFilter,
)
from envoy_data_plane.envoy.config.core.v3 import (
    DataSource,
    RuntimeUInt32,
    SubstitutionFormatString,
)
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel.v3 import ExpressionFilter
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    LocalReplyConfig,
    ResponseMapper,
)
from envoy_data_plane.google.protobuf import Any as Packed

from extproc.dialects.openai_error import openai_error
from extproc.refusal import of_status

SIDECAR_DETAILS: Final = "extproc_"
"""How the details of every reply begin that the sidecar makes; "ext_proc_" is Envoy's own."""

_OURS: Final = AccessLogFilter(
    extension_filter=ExtensionFilter(
        name="envoy.access_loggers.extension_filters.cel",
        typed_config=Packed.pack(
            ExpressionFilter(
                expression=f"response.code_details.startsWith('{SIDECAR_DETAILS}')"
                " || response.code_details == 'ext_authz_denied'"
            )
        ),
    )
)

_EQ: Final = ComparisonFilterOp.EQ
_GE: Final = ComparisonFilterOp.GE


def render() -> LocalReplyConfig:
    """The first mapper that fits decides."""
    return LocalReplyConfig(
        mappers=[
            ResponseMapper(filter=_OURS),
            _mapper(_EQ, 404),
            _mapper(_EQ, 413),
            _mapper(_EQ, 502),
            _mapper(_EQ, 503),
            _mapper(_GE, 500),
            _mapper(_GE, 400),
        ]
    )


def _mapper(compared: ComparisonFilterOp, status: int) -> ResponseMapper:
    body = openai_error(of_status(status)).decode()
    return ResponseMapper(
        filter=_has(compared, status),
        body_format_override=SubstitutionFormatString(
            text_format_source=DataSource(inline_string=body.replace("%", "%%")),
            content_type="application/json",
        ),
    )


def _has(compared: ComparisonFilterOp, status: int) -> AccessLogFilter:
    # Envoy demands a runtime key; the runtime has one layer, which does not set it.
    value = RuntimeUInt32(default_value=status, runtime_key="extproc.local_reply")
    return AccessLogFilter(
        status_code_filter=StatusCodeFilter(comparison=ComparisonFilter(op=compared, value=value))
    )
