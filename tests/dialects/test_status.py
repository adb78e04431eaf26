"""Paths of which only the status passes."""

import pytest

from extproc.dialects import Status
from extproc.dialects.gate import Terms
from extproc.dialects.problem import problem
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_ROUTE


def test_a_query_of_no_inputs_is_read_from_an_empty_body() -> None:
    asked = Status().read(b"", {"model": "digits"}, Terms(()))
    assert asked.query == Query("digits", inputs=0)
    assert asked.body == b""
    assert Status().read(b"", {}, Terms(())).query == Query("", inputs=0)


@pytest.mark.parametrize("body", [b"{}", b" ", b"x"])
def test_a_body_is_refused(body: bytes) -> None:
    with pytest.raises(ClientError, match="takes no body"):
        Status().read(body, {}, Terms(()))


def test_no_body_is_an_answer() -> None:
    assert Status().answers() == {}


def test_an_error_is_a_problem() -> None:
    assert Status().error(UNKNOWN_ROUTE) == problem(UNKNOWN_ROUTE)


def test_it_answers_no_classes() -> None:
    assert not Status().positional()
