import orjson

from extproc.demo import cases
from extproc.demo.access import BURST, probe
from extproc.demo.client import client
from extproc.demo.policy_file import TENANTS
from extproc.envoyconf.settings import Socket
from tests.e2e.upstream import Reply, Request, Upstream


async def test_each_request_breaks_one_rule() -> None:
    async def script(request: Request, reply: Reply) -> None:
        await reply.document(b"{}")

    with Upstream() as envoy:
        envoy.script = script
        async with client(Socket("127.0.0.1", envoy.port)) as gateway:
            seen = await probe(gateway, {tenant: f"xk-{tenant}" for tenant in TENANTS})
        requests = list(envoy.requests)

    credentials = [
        (request.headers.get("authorization"), request.headers.get("x-api-key"))
        for request in requests[: len(seen.strangers)]
    ]
    assert credentials[0] == (None, None)
    assert credentials[1:] == [
        ("Bearer xk-" + 43 * "0", None),
        ("Bearer xk-bronze", "xk-gold"),
        ("Basic xk-gold", None),
    ]
    asked = [orjson.loads(request.body) for request in requests]
    assert [body["model"] for body in asked if body.get("model", "tiny-lm") != "tiny-lm"] == [
        "no-such-model",
        "minilm",
        "minilm",
    ]
    assert sum("return_logits" in body for body in asked) == 1
    assert sum({"logit_bias", "logprobs"} <= body.keys() for body in asked) == 1
    assert sum(request.headers.get("x-tenant") == "gold" for request in requests) == 1
    trial = [r for r in requests if r.headers.get("authorization") == "Bearer xk-trial"]
    assert [request.path for request in trial[-BURST:]] == BURST * [cases.INFER]
    assert len(seen.burst) == BURST
