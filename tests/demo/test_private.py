import orjson

from extproc.demo.client import client
from extproc.demo.policy_file import TENANTS
from extproc.demo.private import ASKED, VOTES, probe
from extproc.envoyconf.settings import Socket
from tests.e2e.upstream import Reply, Request, Upstream


async def test_every_image_is_another_one_until_the_first_comes_again() -> None:
    async def script(request: Request, reply: Reply) -> None:
        await reply.document(b"{}")

    with Upstream() as server:
        server.script = script
        async with client(Socket("127.0.0.1", server.port)) as both:
            seen = await probe(both, both, {tenant: f"xk-{tenant}" for tenant in TENANTS})
        requests = list(server.requests)

    assert {request.path for request in requests} == {VOTES}
    assert [request.headers.get("authorization") for request in requests] == [
        None,
        *(ASKED + 1) * ["Bearer xk-private"],
    ]
    bodies = [orjson.dumps(orjson.loads(request.body)) for request in requests]
    assert bodies[0] == bodies[1] == bodies[-1]
    assert len({*bodies[1:-1]}) == len(seen.told) == ASKED
