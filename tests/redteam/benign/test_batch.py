import orjson

from extproc.redteam.benign import batch
from tests.redteam.benign.test_customer import met


async def test_all_that_is_refused_counts() -> None:
    found = await met(batch.run, lambda _: True)
    assert found.refused_share == 1
    assert not found.seconds


async def test_it_asks_about_hundreds_of_inputs_in_each_of_twenty_requests() -> None:
    heard: list[tuple[str, bytes]] = []
    await met(batch.run, heard=heard)
    shapes = [orjson.loads(body)["inputs"][0]["shape"] for _, body in heard]
    assert shapes == [[100, 4]] * 20
    assert {key for key, _ in heard} == {"k"}
    assert len({body for _, body in heard}) == 20
