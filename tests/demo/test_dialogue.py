from collections import Counter
from dataclasses import replace

import orjson

from extproc.demo.answer import Answer
from extproc.demo.cases import CASES
from extproc.demo.client import client
from extproc.demo.dialogue import REPEATS, observe
from extproc.demo.policy_file import TIERS
from extproc.envoyconf.settings import Socket
from tests.demo import fabricated
from tests.e2e.upstream import Reply, Request, Upstream


async def _echo(request: Request, reply: Reply) -> None:
    await reply.document(request.body)


async def test_every_case_is_asked_at_every_tier_and_of_the_model_server_alike() -> None:
    keys = {tier: f"xk-{tier}" for tier in TIERS}
    with Upstream() as models, Upstream() as envoy:
        models.script = envoy.script = _echo
        async with (
            client(Socket("127.0.0.1", models.port)) as model,
            client(Socket("127.0.0.1", envoy.port)) as gateway,
        ):
            seen = await observe(model, gateway, keys)
        assert not any("authorization" in request.headers for request in models.requests)
        asked = Counter(request.headers["authorization"] for request in envoy.requests)

    assert asked == {f"Bearer xk-{tier}": REPEATS * len(CASES) for tier in TIERS}
    for case in CASES:
        assert orjson.loads(seen.says(case).body) == case.body
        for tier in TIERS:
            assert orjson.loads(seen.gets(case, tier).body) == case.body
            assert len(seen.served[case.name, tier]) == REPEATS
            assert len(seen.direct[case.name, tier]) == REPEATS


def test_what_is_added_is_the_median_of_the_differences() -> None:
    seen, case = fabricated.observed(), CASES[0]

    def taking(*seconds: float) -> list[Answer]:
        return [replace(seen.says(case), seconds=each) for each in seconds]

    seen = replace(
        seen,
        direct={(case.name, "full"): taking(0.001, 0.002, 0.9)},
        served={(case.name, "full"): taking(0.003, 0.007, 0.9)},
    )
    assert round(seen.added_ms(case, "full"), 6) == 2.0
