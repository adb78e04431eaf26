"""Whether requests are traced: as the standard variables of OpenTelemetry say."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from extproc.server.record import Records
from extproc.server.telemetry import Telemetry
from extproc.server.traces import Traces

if TYPE_CHECKING:
    from extproc.server.otlp import OtlpCollector

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class Tracing:
    """``traces`` is None where nothing is traced."""

    def __init__(self, environ: Mapping[str, str], records: Records, telemetry: Telemetry) -> None:
        self.traces: Traces | None = None
        self._collector = _collector(environ, records)
        if self._collector is not None:
            collector = self._collector
            telemetry.lost_spans.set_function(lambda: collector.lost)
            self.traces = Traces(collector, time.time)  # noqa: TID251 - a clock that is given

    def close(self) -> None:
        """Send what waits; two seconds at most."""
        if self._collector is not None:
            self._collector.close()


def _collector(environ: Mapping[str, str], records: Records) -> "OtlpCollector | None":
    endpoint = next((name for name in _ENDPOINTS if environ.get(name)), None)
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if endpoint is None or off or environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return None
    try:
        from extproc.server.otlp import OtlpCollector  # noqa: PLC0415 - an extra

        return OtlpCollector(environ, records)
    except ImportError:
        problem = f"{endpoint} is set, but not installed is extproc[tracing]: nothing is traced"
    except ValueError as error:  # of another of its variables
        problem = f"nothing is traced: {error}"
    records.add("traces", {"problem": problem}, "warning")
    return None
