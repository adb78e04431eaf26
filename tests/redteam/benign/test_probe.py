import orjson

from extproc.redteam.benign import probe
from tests.redteam.benign.test_customer import met


async def test_all_that_is_refused_counts() -> None:
    found = await met(probe.run, lambda _: True)
    assert found.refused_share == 1
    assert not found.seconds


async def test_it_asks_the_same_about_one_input_forty_times() -> None:
    heard: list[tuple[str, bytes]] = []
    await met(probe.run, heard=heard)
    assert len(heard) == 40
    [(key, body)] = set(heard)
    assert key == "k"
    assert orjson.loads(body)["inputs"][0]["shape"] == [1, 4]
