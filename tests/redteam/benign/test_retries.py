import pytest

from extproc.redteam.benign import retries
from extproc.redteam.benign.retries import pause
from extproc.redteam.request import Reply
from tests.redteam.benign.test_customer import met


@pytest.mark.parametrize(
    ("status", "said", "wait"),
    [(200, "1", None), (401, "1", None), (429, "1", 1.0), (503, "0", 0.0), (429, "60", None)],
)
def test_it_waits_as_long_as_it_is_told_if_that_is_not_long(
    status: int, said: str, wait: float | None
) -> None:
    assert pause(Reply(status, (("retry-after", said),), b"", 0, 0), 1) == wait


def test_without_a_word_it_waits_longer_each_time() -> None:
    reply = Reply(503, (), b"", 0, 0)
    assert [pause(reply, tried) for tried in (1, 2)] == [0.2, 0.4]


async def test_a_refusal_that_is_over_soon_blocks_nobody() -> None:
    found = await met(retries.run, lambda count: count <= 2)
    assert found.refused == 0


async def test_what_is_refused_three_times_is_given_up() -> None:
    heard: list[tuple[str, bytes]] = []
    found = await met(retries.run, lambda _: True, heard)
    assert found.refused_share == 1
    assert (found.asked, len(heard)) == (retries.REQUESTS, 3 * retries.REQUESTS)
