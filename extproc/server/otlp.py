"""Spans to an OpenTelemetry collector (OTLP over HTTP), set up by the standard variables alone:
``OTEL_EXPORTER_OTLP_ENDPOINT`` and others of OpenTelemetry's specification.

Rule: nothing waits for the collector.  The library's thread sends; while the collector is away or
too slow, spans are lost and counted, not queued without bound.

This module needs the extra ``tracing``; whoever imports it says so where that is missing.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from extproc.server.record import Records
from extproc.server.short_turns import short_turns

_QUEUE: Final = 2048
"""Spans that wait, where ``OTEL_BSP_MAX_QUEUE_SIZE`` says nothing; the specification's default."""
_PATIENCE: Final = 2.0
"""Seconds that a sidecar which ends waits for the last of them."""
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class _Counted(SpanExporter):
    """Counts what became of spans, and tells when the collector goes and comes."""

    def __init__(self, exporter: SpanExporter, records: Records) -> None:
        self._exporter, self._records = exporter, records
        self.done = self.lost = 0
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with short_turns():
            result = self._exporter.export(spans)
        away = result is not SpanExportResult.SUCCESS
        self.lost += len(spans) if away else 0
        self.done += len(spans)
        if away != self._away:
            problem = "the collector does not take spans" if away else ""
            self._records.add("traces", {"problem": problem}, "warning" if away else "info")
        self._away = away
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class OtlpCollector:
    """A Collector; see traces.py."""

    def __init__(self, environ: Mapping[str, str], records: Records) -> None:
        # What the library logs is told by records, which never block.
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        logging.getLogger("opentelemetry").propagate = False
        self._exporter = OTLPSpanExporter()
        self._counted = _Counted(self._exporter, records)
        self._cap = int(environ.get("OTEL_BSP_MAX_QUEUE_SIZE", "") or _QUEUE)
        self._handed = self._refused = 0
        self._provider = TracerProvider(resource=_resource(environ), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._counted))
        self._tracer = self._provider.get_tracer("extproc", version("extproc"))

    @property
    def lost(self) -> int:
        """Spans that nobody will see; each of its two counts has one thread that writes it."""
        return self._refused + self._counted.lost

    def tell(
        self, name: str, parent: str, began: int, ended: int, attributes: Mapping[str, str | int]
    ) -> None:
        """Queue one span; times are nanoseconds of wall time."""
        if self._handed - self._counted.done >= self._cap:
            self._refused += 1
            return
        context = _PROPAGATOR.extract({"traceparent": parent})
        span = self._tracer.start_span(
            name, context, kind=SpanKind.SERVER, attributes=attributes, start_time=began
        )
        self._handed += span.get_span_context().trace_flags.sampled
        span.end(ended)

    def close(self) -> None:
        """Send what waits; two seconds at most."""
        last = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        last.start()
        last.join(_PATIENCE)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # no more tries


def _resource(environ: Mapping[str, str]) -> Resource:
    named = environ.get("OTEL_SERVICE_NAME") or "service.name" in environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    return Resource.create({} if named else {SERVICE_NAME: "extproc"})
