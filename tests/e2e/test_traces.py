"""Spans of requests through a real Envoy, at a real receiver."""

from collections.abc import Iterator

import pytest

from tests.collector import Receiver, attributes, receiving
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import KEYS, LiveGateway, live_gateway
from tests.e2e.upstream import Upstream, answering

TRACE, ABOVE = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(scope="module")
def collector() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture(scope="module")
def traced(
    collector: Receiver, scripted: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        with live_gateway(tmp_path_factory.mktemp("t"), scripted.port) as gateway:
            yield gateway


def test_a_request_that_envoy_traces_has_two_spans_and_no_word_of_what_was_asked(
    traced: LiveGateway, upstream: Upstream, collector: Receiver
) -> None:
    upstream.script = answering(bodies.chat_answer())
    post(traced, bodies.CHAT, bodies.chat_request())  # nobody traces it
    parent = {"traceparent": f"00-{TRACE}-{ABOVE}-01"}
    answer = post(traced, bodies.CHAT, bodies.chat_request(), headers=parent)
    spans = collector.wait(lambda found: len(found) >= 2)
    assert sorted(span.name for span in spans) == ["ext_authz Check", "ext_proc Process"]
    for span in spans:
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, ABOVE)
        assert attributes(span)["extproc.request_id"] == answer.headers["x-request-id"]
    for secret in (KEYS["standard"].encode(), b"hello"):
        assert secret not in collector.sent
    traced.until(lambda: any(f'"trace_id":"{TRACE}"' in line for line in traced.log))
    assert upstream.requests[-1].headers["traceparent"] == parent["traceparent"]
