"""What an attack has spent so far."""

from extproc.redteam.meter import Meter
from extproc.redteam.request import Reply, Request


def test_what_is_refused_is_counted_apart_and_its_beginning_is_kept() -> None:
    meter = Meter()
    for status, queries, key in ((200, 10, 0), (429, 5, 1), (200, 10, 0), (0, 1, None)):
        meter.count(Request("/", key=key, queries=queries), Reply(status, (), b"", 0, 0))
    assert (meter.queries, meter.refused, meter.requests) == (20, 6, 4)
    assert meter.first_refusal == 10
    assert meter.keys == {0, 1}
    assert meter.statuses == {200: 2, 429: 1, 0: 1}


def test_without_a_refusal_there_is_no_first() -> None:
    meter = Meter()
    meter.count(Request("/"), Reply(200, (), b"", 0, 0))
    assert meter.first_refusal is None
