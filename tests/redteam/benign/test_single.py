import orjson

from extproc.redteam.benign import single
from tests.redteam.benign.test_customer import met


async def test_all_that_is_refused_counts() -> None:
    found = await met(single.run, lambda _: True)
    assert found.refused_share == 1


async def test_it_asks_about_one_input_after_another() -> None:
    heard: list[tuple[str, bytes]] = []
    await met(single.run, heard=heard)
    shapes = [orjson.loads(body)["inputs"][0]["shape"] for _, body in heard]
    assert shapes == [[1, 4]] * single.INPUTS
    assert len({body for _, body in heard}) > single.INPUTS // 4
