import http

import orjson
import pytest

from extproc import refusal
from extproc.config.routes import DIALECTS as CLASSES
from extproc.dialects import Dialect
from extproc.refusal import Refusal, of_code, of_status

REFUSALS = [value for value in vars(refusal).values() if isinstance(value, Refusal)]
DIALECTS: list[Dialect] = [dialect() for dialect in CLASSES.values()]


def test_a_detail_and_a_delay_change_nothing_else() -> None:
    assert refusal.RATE_LIMITED.because("Slower.").after(3) == Refusal(
        429, "rate_limit_exceeded", "Slower.", "rate_limit_error", retry_after=3
    )
    assert refusal.RATE_LIMITED.retry_after is None


def test_every_status_of_the_model_server_becomes_an_error_of_our_wording() -> None:
    for status in [*range(1000), 99_999]:
        found = of_status(status)
        expected = status if 400 <= status < 501 or status in {503, 504} else 502
        assert found.status == expected
        assert found.message.isascii()


def test_a_status_of_ours_reads_like_our_own_refusal() -> None:
    ours = {401: "invalid_api_key", 404: "not_found", 413: "request_too_large"}
    ours[429] = "rate_limit_exceeded"
    assert {status: of_status(status).code for status in ours} == ours


def test_codes_are_header_safe_and_statuses_are_errors() -> None:
    assert len({refusal.code for refusal in REFUSALS}) == len(REFUSALS)
    for known in REFUSALS:
        assert known.code.replace("_", "").isalpha()
        assert known.code.islower()
        assert known.status >= 400
        http.HTTPStatus(known.status)


def test_ext_proc_knows_every_refusal_that_ext_authz_makes() -> None:
    made = [
        refusal.UNAUTHENTICATED,
        refusal.UNKNOWN_ROUTE,
        refusal.METHOD_NOT_ALLOWED,
        refusal.UNKNOWN_MODEL,
        refusal.UNSUPPORTED_MEDIA_TYPE,
        refusal.RATE_LIMITED,
        refusal.UNAVAILABLE,
    ]
    assert [of_code(known.code) for known in made] == made
    assert of_code("") is of_code("whatever") is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_error_body_has_one_shape_whatever_it_says(dialect: Dialect) -> None:
    bodies = [orjson.loads(dialect.error(known)) for known in REFUSALS]
    assert len({tuple(body) for body in bodies}) == 1
    details = [body["error"] for body in bodies if isinstance(body["error"], dict)]
    assert len({tuple(detail) for detail in details}) <= 1
    for body, known in zip(bodies, REFUSALS, strict=True):
        said = body["error"]["message"] if isinstance(body["error"], dict) else body["error"]
        assert said == known.message
