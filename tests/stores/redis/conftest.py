"""One server for the tests of a module; each has its own prefix in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.redis import rig
from tests.stores.redis.rig import Server


@pytest.fixture(scope="module", params=rig.EXECUTABLES, ids=lambda path: Path(path).name)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with rig.servers(executable=request.param) as (server,):
        yield server
