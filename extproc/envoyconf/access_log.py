"""One line of JSON per request on standard output.

Rule: no path, query string or header of the client's, where credentials end up by mistake.  Routes
are named by the policy, and ``request_id`` finds the record in the sidecar's log.  Nor why a
request was refused, beyond what its client was told: more people read this than the sidecar's log.
"""

from typing import Final

from envoy_data_plane.envoy.config.accesslog.v3 import AccessLog
from envoy_data_plane.envoy.config.core.v3 import SubstitutionFormatString
from envoy_data_plane.envoy.extensions.access_loggers.stream.v3 import StdoutAccessLog
from envoy_data_plane.google.protobuf import Any as Packed
from envoy_data_plane.google.protobuf import Struct

from extproc.envoyconf.http_filters import AUTHZ, PROC, VERDICT

_FIELDS: Final = {
    "time": "%START_TIME%",
    "request_id": f"%DYNAMIC_METADATA({AUTHZ}:exchange)%",
    "tenant": f"%DYNAMIC_METADATA({AUTHZ}:tenant)%",
    "route": f"%DYNAMIC_METADATA({AUTHZ}:route)%",
    # No outcome is that of a stream that broke: see flags and ext_proc.
    "outcome": f"%DYNAMIC_METADATA({VERDICT}:outcome)%",
    "shadow_would": f"%DYNAMIC_METADATA({VERDICT}:shadow_would)%",
    "fidelity": f"%DYNAMIC_METADATA({VERDICT}:fidelity)%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "milliseconds": "%DURATION%",
    # Latency and gRPC status per kind of message; ":10" is a stream that ended without a verdict.
    "ext_proc": f"%FILTER_STATE({PROC}:PLAIN)%",
}


def render() -> list[AccessLog]:
    log = StdoutAccessLog(
        log_format=SubstitutionFormatString(json_format=Struct.from_dict(_FIELDS))
    )
    return [AccessLog(name="envoy.access_loggers.stdout", typed_config=Packed.pack(log))]
