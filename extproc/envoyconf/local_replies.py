"""Envoy's own replies that the sidecar never sees, in the words the sidecar would have used.

Those are errors of the HTTP codec, failures of ext_proc itself, and a model server that is lost
while its answer is held.  Rule: every reply of Envoy's gets its body from here, except what the
sidecar wrote; Envoy's texts name hosts, reasons and limits.  The sidecar's own are let through
first, whatever their status: an expression that some of them alone are held against takes time
that a client can measure.
"""

from dataclasses import replace
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
    HeaderValue,
    HeaderValueOption,
    HeaderValueOptionHeaderAppendAction,
    RuntimeUInt32,
    SubstitutionFormatString,
)
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel.v3 import ExpressionFilter
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    LocalReplyConfig,
    ResponseMapper,
)
from envoy_data_plane.google.protobuf import Any as Packed

from extproc.dialects.problem import UNROUTED
from extproc.refusal import HEADERS_TOO_LARGE, INVALID_REQUEST, Refusal, of_status
from extproc.wording import Told, told

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
_KNOWN: Final = (400, 403, 404, 408, 413, 429, 431, 500, 502, 503, 504)
"""Each said in its own words; of the rest Envoy fills the number in."""
_OWN: Final = {400: INVALID_REQUEST, 431: HEADERS_TOO_LARGE}
"""What no model server has refused."""
_IF_ABSENT: Final = HeaderValueOptionHeaderAppendAction.ADD_IF_ABSENT


def render() -> LocalReplyConfig:
    """The first mapper that fits decides."""
    return LocalReplyConfig(
        mappers=[
            ResponseMapper(filter=_OURS),
            *map(_one, _KNOWN),
            _rest(of_status(500)),
            _rest(of_status(400)),
        ]
    )


def _one(status: int) -> ResponseMapper:
    refusal = _OWN.get(status) or of_status(status)
    answer = told(refusal, UNROUTED)
    return _mapper(_has(_EQ, status), answer, answer.body.decode().replace("%", "%%"))


def _rest(refusal: Refusal) -> ResponseMapper:
    """All others from its status on; Envoy writes which."""
    other = replace(refusal, status=refusal.status + 99)
    answer = told(other, UNROUTED)
    text = answer.body.decode().replace("%", "%%")
    return _mapper(
        _has(_GE, refusal.status), answer, text.replace(f":{other.status},", ":%RESPONSE_CODE%,")
    )


def _mapper(held: AccessLogFilter, answer: Told, text: str) -> ResponseMapper:
    fields = dict(answer.headers)
    media_type = fields.pop("content-type")
    return ResponseMapper(
        filter=held,
        headers_to_add=[
            HeaderValueOption(HeaderValue(name, value), append_action=_IF_ABSENT)
            for name, value in fields.items()
        ],
        body_format_override=SubstitutionFormatString(
            text_format_source=DataSource(inline_string=text), content_type=media_type
        ),
    )


def _has(compared: ComparisonFilterOp, status: int) -> AccessLogFilter:
    # Envoy demands a runtime key; the runtime has one layer, which does not set it.
    value = RuntimeUInt32(default_value=status, runtime_key="extproc.local_reply")
    return AccessLogFilter(
        status_code_filter=StatusCodeFilter(comparison=ComparisonFilter(op=compared, value=value))
    )
