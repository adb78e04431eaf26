import pytest

from extproc.demo.client import client
from extproc.demo.model_server import model_server
from extproc.demo.policy_file import free_port
from extproc.gateway.process import ChildDied
from tests.gateway.rig import gone


async def test_it_answers_once_it_is_ready_and_is_gone_after() -> None:
    lines: list[str] = []
    async with model_server(lines.append, free_port(), models=("digits",)) as server:
        await server.ready()
        async with client(server.address) as caller:
            answer = await caller.post("/v2/models/digits/infer", {})
    assert answer.status == 400
    assert any(line.startswith("models  | ready: ") for line in lines)
    assert gone(server.child.pid)


async def test_one_that_does_not_come_up_says_why() -> None:
    async with model_server(lambda _: None, free_port(), models=("mind",)) as server:
        with pytest.raises(ChildDied, match="no model 'mind'"):
            await server.ready()
