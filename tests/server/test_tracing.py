"""Whether anything is traced, by the environment alone."""

import io
import sys

import orjson
import pytest

from extproc.server.record import Records
from extproc.server.telemetry import Telemetry
from extproc.server.tracing import Tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


def told(environ: dict[str, str]) -> tuple[bool, list[dict[str, object]]]:
    sink = io.BytesIO()
    records = Records(sink)
    tracing = Tracing(environ, records, Telemetry())
    tracing.close()
    records.close()
    return tracing.traces is not None, [*map(orjson.loads, sink.getvalue().splitlines())]


@pytest.mark.parametrize(
    ("environ", "on"),
    [
        ({}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, True),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, False),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_say_whether(environ: dict[str, str], on: bool) -> None:
    assert told(environ) == (on, [])


def test_without_the_extra_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "extproc.server.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    on, [line] = told(ENDPOINT)
    assert not on
    assert line["problem"] == (
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but not installed is extproc[tracing]:"
        " nothing is traced"
    )


def test_a_variable_that_cannot_be_read_keeps_nobody_from_starting() -> None:
    on, [line] = told({**ENDPOINT, "OTEL_BSP_MAX_QUEUE_SIZE": "many"})
    assert not on
    assert str(line["problem"]).startswith("nothing is traced: ")
