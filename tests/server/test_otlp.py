"""Spans through the library to a real receiver."""

import io
from collections.abc import Iterator

import orjson
import pytest

from extproc.server.otlp import OtlpCollector
from extproc.server.record import Records
from tests.collector import Receiver, attributes, receiving

TRACE, ABOVE = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{ABOVE}-01"
UNSAMPLED = f"00-{TRACE}-{ABOVE}-00"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        monkeypatch.setenv(ENDPOINT, found.endpoint)
        yield found


def test_a_span_is_sent_beneath_its_parent_with_its_times(receiver: Receiver) -> None:
    records = Records(io.BytesIO())
    collector = OtlpCollector({}, records)
    collector.tell("one", SAMPLED, 5_000, 9_000, {"a": "b", "n": 3})
    collector.tell("none", UNSAMPLED, 5_000, 9_000, {})
    collector.close()
    [span] = receiver.spans
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == ("one", TRACE, ABOVE)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (5_000, 9_000)
    assert attributes(span) == {"a": "b", "n": 3}
    assert receiver.resources[0]["service.name"] == "extproc"
    assert collector.lost == 0
    records.close()


@pytest.mark.parametrize(
    "environ", [{"OTEL_SERVICE_NAME": "x"}, {"OTEL_RESOURCE_ATTRIBUTES": "service.name=x"}]
)
def test_an_operator_names_the_service_as_everywhere(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    records = Records(io.BytesIO())
    collector = OtlpCollector(environ, records)
    collector.tell("one", SAMPLED, 1, 2, {})
    collector.close()
    records.close()
    assert receiver.resources[0]["service.name"] == "x"


def test_spans_that_a_collector_refuses_are_counted_and_told_once(receiver: Receiver) -> None:
    receiver.status = 400
    sink = io.BytesIO()
    records = Records(sink)
    collector = OtlpCollector({}, records)
    for _ in range(3):
        collector.tell("one", SAMPLED, 1, 2, {})
    collector.close()
    records.close()
    assert collector.lost == 3
    [line] = map(orjson.loads, sink.getvalue().splitlines())
    assert (line["level"], line["message"]) == ("warning", "traces")


def test_while_the_collector_is_away_no_more_wait_than_may(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    records = Records(io.BytesIO())
    collector = OtlpCollector({"OTEL_BSP_MAX_QUEUE_SIZE": "5"}, records)
    for _ in range(8):
        collector.tell("one", SAMPLED, 1, 2, {})
    assert collector.lost == 3
    collector.close()
    records.close()
    assert collector.lost == 8
    assert capfd.readouterr() == ("", "")  # the log is JSON, and ours
