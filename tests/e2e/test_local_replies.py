"""Envoy's own answers, on an Envoy whose shipped configuration was changed in one line."""

from pathlib import Path

import pytest

from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import live_gateway
from tests.e2e.upstream import Reply, Request, Upstream, answering


@pytest.mark.parametrize(
    ("shipped", "changed", "status", "code"),
    [
        # Without a route Envoy skips ext_authz, and without its metadata nothing is served.
        ("prefix: /\n", "prefix: /elsewhere\n", 503, "unavailable"),
        ("timeout: 0s", "timeout: 0.3s", 504, "upstream_error"),
    ],
    ids=["no-route", "timeout"],
)
def test_envoys_own_errors_have_our_words(
    upstream: Upstream, tmp_path: Path, shipped: str, changed: str, status: int, code: str
) -> None:
    over = upstream.event()

    async def silent(request: Request, reply: Reply) -> None:
        await over.wait()

    def bootstrap(text: str) -> str:
        assert shipped in text
        return text.replace(shipped, changed, 1)

    upstream.script = silent
    with live_gateway(tmp_path, upstream.port, bootstrap=bootstrap) as gateway:
        response = post(gateway, bodies.CHAT, bodies.chat_request())
        assert gateway.fail_open_events() == 0
    upstream.release(over)
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert "envoy" not in response.text.lower()


def test_an_answer_that_envoy_makes_itself_does_not_pass(
    upstream: Upstream, tmp_path: Path
) -> None:
    """A direct_response looks like success and was never read: it is not the model's."""
    upstream.script = answering(bodies.chat_answer())

    def bootstrap(text: str) -> str:
        start = text.index("                route:\n")
        end = text.index("request_headers_to_remove", start)
        direct = '                direct_response: {status: 200, body: {inline_string: "unread"}}\n'
        line = text.rindex("\n", start, end) + 1
        return text[:start] + direct + text[line:]

    with live_gateway(tmp_path, upstream.port, bootstrap=bootstrap) as gateway:
        response = post(gateway, bodies.CHAT, bodies.chat_request())
    assert response.status_code == 502
    assert b"unread" not in response.content
