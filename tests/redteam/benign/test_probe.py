from extproc.redteam.benign import probe
from tests.redteam.benign.test_customer import met


async def test_all_that_is_refused_counts() -> None:
    found = await met(probe.run, lambda _: True)
    assert found.refused_share == 1
    assert not found.seconds
