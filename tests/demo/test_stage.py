import os
import signal
from pathlib import Path

import pytest

from extproc.demo import cases
from extproc.demo.client import bearer, client
from extproc.demo.policy_file import template
from extproc.demo.stage import Wanted, stage
from extproc.envoyconf.settings import Socket
from tests.gateway.rig import gone


@pytest.mark.e2e
async def test_all_three_serve_and_the_death_of_one_is_told(trained: None, tmp_path: Path) -> None:
    said: list[str] = []
    wanted = Wanted(
        directory=tmp_path,
        policy=template(),
        listen=Socket("127.0.0.1", 0),
        log=lambda _: None,
        progress=said.append,
    )
    async with stage(wanted) as running:
        headers = bearer(running.issued.key_of("full"))
        async with client(running.gateway.address) as gateway:
            through = await gateway.post(cases.INFER, cases.infer(), headers=headers)
        async with client(running.models.address) as model:
            direct = await model.post(cases.INFER, cases.infer())
        assert through.body == direct.body

        gateway_children = (running.gateway.envoy, running.gateway.sidecar)
        pids = [child.pid for child in (running.models.child, *gateway_children)]
        os.kill(running.gateway.envoy.pid, signal.SIGKILL)
        assert "envoy was killed by signal 9" in str(await running.died())
    assert all(map(gone, pids))
    assert len(said) == 2
