import orjson

from extproc.redteam.benign import chat
from tests.redteam.benign.test_customer import met


async def test_all_that_is_refused_counts() -> None:
    found = await met(chat.run, lambda _: True)
    assert found.refused_share == 1
    assert not found.seconds


async def test_it_chats_with_its_own_key_in_five_bursts_of_six() -> None:
    heard: list[tuple[str, bytes]] = []
    await met(chat.run, heard=heard)
    assert len(heard) == 5 * 6
    assert {key for key, _ in heard} == {"k"}
    said = {orjson.loads(body)["messages"][0]["content"] for _, body in heard}
    assert len(said) == 3, "of a few questions"
