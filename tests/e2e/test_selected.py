"""Envoy's configuration selects the policy, route by route."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.upstream import Reply, Request, Upstream
from tests.envoyconf import shipped

LABELS = "/v2/models/digits/infer"
AUTHZ = "envoy.filters.http.ext_authz"


def selecting(text: str) -> str:
    """A route of its own for one path, whose policy is ``labels``; another for one nobody has."""
    bootstrap = yaml.safe_load(text)
    host = shipped.virtual_host(bootstrap)
    [every] = host["routes"]
    host["routes"] = [
        _named(every, LABELS, "labels"),
        _named(every, bodies.EMBEDDINGS, "nobodys"),
        every,
    ]
    return yaml.safe_dump(bootstrap)


def _named(every: dict[str, Any], path: str, policy: str) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute"
    settings = {"@type": kind, "check_settings": {"context_extensions": {"policy": policy}}}
    return {**every, "match": {"path": path}, "typed_per_filter_config": {AUTHZ: settings}}


@pytest.fixture(scope="module")
def selected(scripted: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    with live_gateway(tmp_path_factory.mktemp("r"), scripted.port, bootstrap=selecting) as gateway:
        yield gateway


async def answering(request: Request, reply: Reply) -> None:
    infer = request.path == LABELS
    await reply.document(bodies.infer_answer() if infer else bodies.chat_answer())


def test_a_route_is_answered_by_the_policy_that_envoy_names_for_it(
    selected: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering
    before = selected.fail_open_events()
    probabilities = post(selected, LABELS, bodies.infer_request(), "full").json()["outputs"][0]
    assert probabilities["data"] == [0, 1, 0, 0], "its own would pass them whole"
    own = post(selected, bodies.CHAT, bodies.chat_request(logprobs=True), "full")
    assert bodies.SECRET in own.text
    assert selected.fail_open_events() == before


def test_a_name_that_no_policy_has_grants_nothing(
    selected: LiveGateway, upstream: Upstream
) -> None:
    answer = post(selected, bodies.EMBEDDINGS, b'{"model":"minilm","input":"x"}', "full")
    assert answer.status_code == 404
    assert upstream.requests == []
