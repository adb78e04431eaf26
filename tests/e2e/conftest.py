"""One Envoy, one sidecar and one scripted model server for all end-to-end tests.

After every test Envoy's own counters must show no stream that the sidecar ended cleanly while
Envoy still waited: that is how an answer passes unprocessed.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.reloaded import Reloaded
from tests.e2e.upstream import Upstream


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def scripted() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(scripted: Upstream) -> Upstream:
    scripted.requests.clear()
    return scripted


@pytest.fixture(scope="package")
def running_gateway(
    scripted: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    with live_gateway(tmp_path_factory.mktemp("gateway"), scripted.port) as gateway:
        yield gateway


@pytest.fixture
def gateway(running_gateway: LiveGateway) -> Iterator[LiveGateway]:
    before = running_gateway.fail_open_events()
    yield running_gateway
    assert running_gateway.fail_open_events() == before, "a stream was ended cleanly: fail-open"


@pytest.fixture(scope="module")
def reloaded() -> Reloaded:
    return Reloaded()


@pytest.fixture(scope="module")
def mounted(
    scripted: Upstream, reloaded: Reloaded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    directory = tmp_path_factory.mktemp("r")
    with live_gateway(
        directory, scripted.port, policy=reloaded.change, command=reloaded.command
    ) as gateway:
        yield gateway


@pytest.fixture
def remounted(mounted: LiveGateway, reloaded: Reloaded) -> Iterator[LiveGateway]:
    """Whose policy, keys and secrets a test may change: they are put back."""
    before, first = mounted.fail_open_events(), reloaded.config()["config"]
    yield mounted
    assert mounted.fail_open_events() == before, "a stream was ended cleanly: fail-open"
    (reloaded.volume.folder.parent / "keys.jsonl").write_text("")
    reloaded.volume.swap(reloaded.files())
    mounted.until(lambda: reloaded.config()["config"] == first)
    mounted.until(lambda: reloaded.config()["problem"] == "")
