from pathlib import Path

import pytest

from extproc.demo.client import client
from extproc.demo.failure import break_it
from extproc.demo.failure_protections import FAILURE
from extproc.demo.policy_file import template
from extproc.demo.stage import Wanted, stage
from extproc.demo.verdict import judge
from extproc.envoyconf.settings import Socket
from tests.gateway.rig import gone


def _silent(line: str) -> None:
    """Nobody reads it."""


@pytest.mark.e2e
async def test_each_is_killed_while_the_other_could_answer(trained: None, tmp_path: Path) -> None:
    wanted = Wanted(tmp_path, template(), Socket("127.0.0.1", 0), _silent, _silent)
    async with stage(wanted) as running:
        async with client(running.models.address) as model, client(running.gateway.address) as way:
            seen = await break_it(running, model, way, _silent)
        killed = (running.models.child, running.gateway.sidecar)
        assert [child.alive for child in killed] == [False, False]
        assert running.gateway.envoy.alive
    assert gone(running.gateway.envoy.pid)

    assert [verdict for verdict in judge(FAILURE, seen) if not verdict.held] == []
    assert 0 < len(seen.cut.body) < len(seen.uncut.body)
    assert seen.cut.body.startswith(b"data: ")
    assert seen.unprocessed.status == 200
