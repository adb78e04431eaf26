from dataclasses import replace
from http import HTTPStatus

import orjson
import pytest

from extproc.dialects.openai_error import openai_error
from extproc.dialects.problem import PROBLEM, UNROUTED, problem
from extproc.refusal import RATE_LIMITED, UNAUTHENTICATED, UNKNOWN_ROUTE, of_status


def test_a_problem_has_the_members_of_rfc_9457_and_a_code() -> None:
    assert orjson.loads(problem(UNKNOWN_ROUTE)) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Unknown path.",
        "code": "not_found",
    }


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 415, 429, 431, 502, 503])
def test_the_title_is_the_phrase_of_the_status(status: int) -> None:
    found = orjson.loads(problem(replace(of_status(502), status=status)))
    assert (found["title"], found["status"]) == (HTTPStatus(status).phrase, status)


@pytest.mark.parametrize(("status", "title"), [(418, "Client Error"), (599, "Server Error")])
def test_a_status_without_a_phrase_has_a_title_too(status: int, title: str) -> None:
    assert orjson.loads(problem(replace(of_status(502), status=status)))["title"] == title


def test_where_no_route_is_known_the_clients_of_other_apis_find_what_they_look_for() -> None:
    assert UNROUTED.ERRORS == PROBLEM
    for known in (UNAUTHENTICATED, UNKNOWN_ROUTE, RATE_LIMITED):
        found = orjson.loads(UNROUTED.error(known))
        assert {"error": found.pop("error")} == orjson.loads(openai_error(known))
        assert found == orjson.loads(problem(known))
