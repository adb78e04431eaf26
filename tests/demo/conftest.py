"""The models of a whole session are trained once, and leave nothing in anybody's home."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("demo-cache")))
        yield
