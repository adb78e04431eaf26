"""Work that is spread comes out as if it were not."""

import os

from tests.detection.cores import spread


def test_what_comes_out_is_in_order_whoever_did_it() -> None:
    given = list(range(50))
    added = len(given)

    def work(number: int) -> tuple[int, int]:
        return number + added, os.getpid()

    wide, narrow = spread(work, given, wide=True), spread(work, given, wide=False)
    assert [found for found, _ in wide] == [found for found, _ in narrow]
    assert {by for _, by in narrow} == {os.getpid()}
    assert os.getpid() not in {by for _, by in wide}
