"""Paths of which only the status passes."""

import orjson
import pytest

from extproc.dialects import Status
from extproc.dialects.shape import Rewrite
from extproc.errors import ClientError, UpstreamError
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_ROUTE
from tests.dialects.tiers import MODEL, OPEN


def test_a_query_of_no_inputs_is_read_from_an_empty_body() -> None:
    asked = Status().read(b"", {"model": "digits"}, ())
    assert asked.query == Query("digits", inputs=0)
    assert asked.body == b""
    assert Status().read(b"", {}, ()).query == Query("", inputs=0)


@pytest.mark.parametrize("body", [b"{}", b" ", b"x"])
def test_a_body_is_refused(body: bytes) -> None:
    with pytest.raises(ClientError, match="takes no body"):
        Status().read(body, {}, ())


def test_nothing_of_the_answer_passes() -> None:
    run = Rewrite(OPEN, MODEL)
    assert Status().answer().rewrite({"ready": True, "host": "gpu-07"}, run, "") == {}
    assert run.dropped == {"*": 2}


@pytest.mark.parametrize("answer", [[], "ready", 1])
def test_an_answer_that_is_no_object_is_unreadable(answer: object) -> None:
    with pytest.raises(UpstreamError):
        Status().answer().rewrite(answer, Rewrite(OPEN, MODEL), "")


def test_an_error_is_worded_as_kserve_words_it() -> None:
    assert orjson.loads(Status().error(UNKNOWN_ROUTE)) == {"error": "Unknown path."}


def test_no_event_is_a_sentinel() -> None:
    assert Status.sentinels == frozenset()
