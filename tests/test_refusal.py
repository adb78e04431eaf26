import base64
import http
from typing import Any

import orjson
import pytest

from extproc import refusal
from extproc.config.routes import DIALECTS as CLASSES
from extproc.dialects import Dialect
from extproc.dialects.grpc_dialect import GrpcDialect
from extproc.refusal import Refusal, coarse, of_code, of_status, of_upstream

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
    assert len({refusal.outcome for refusal in REFUSALS}) == len(REFUSALS)
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
    if isinstance(dialect, GrpcDialect):  # its clients read a number, and a message as it is
        assert [dialect.error(known).decode() for known in REFUSALS] == [
            known.message for known in REFUSALS
        ]
        return
    bodies = [orjson.loads(dialect.error(known)) for known in REFUSALS]
    assert len({shape(body) for body in bodies}) == 1
    for body, known in zip(bodies, REFUSALS, strict=True):
        assert orjson.dumps(known.message) in orjson.dumps(body)


def shape(body: Any) -> Any:
    """The names in it, and what stands in what."""
    if isinstance(body, dict):
        return tuple((name, shape(item)) for name, item in body.items())
    return tuple(map(shape, body)) if isinstance(body, list) else ""


def test_what_is_out_of_service_looks_alike_whatever_it_is() -> None:
    """The gateway, its store, the model server, or nobody at its address."""
    causes = [refusal.UNAVAILABLE, refusal.OVERLOADED, of_status(503), of_upstream(503, "7")]
    assert len({known.outcome for known in causes}) == 3
    for dialect in DIALECTS:
        assert len({dialect.error(known) for known in causes}) == 1
    assert len({tuple(known.headers.items()) for known in causes}) == 1


def test_a_model_the_model_server_does_not_know_looks_like_a_forbidden_one() -> None:
    unknown = of_upstream(404)
    assert unknown == refusal.UNKNOWN_MODEL
    assert unknown.outcome == "upstream_not_found"
    assert of_upstream(418) == of_status(418)


def test_the_header_fields_are_those_of_the_class() -> None:
    for known in REFUSALS:
        names = {"retry-after"} if known.status == 429 else set()
        names |= {"www-authenticate"} if known.status == 401 else set()
        names |= {"x-should-retry"} if 400 <= known.status < 500 and known.status != 429 else set()
        assert set(known.headers) == set(known.after(7).headers) == names


@pytest.mark.parametrize(
    ("field", "seconds"),
    [("", "1"), ("0", "1"), ("3", "5"), ("300", "300"), ("301", "600"), ("50000", "86400"),
     ("90000", "172800"), ("Wed, 21 Oct 2015 07:28:00 GMT", "1"), ("-1", "1"), ("\u0663", "1"),
     ("1" * 4000, "1")],
)  # fmt: skip
def test_a_limit_of_the_model_servers_looks_like_one_of_ours(field: str, seconds: str) -> None:
    found = of_upstream(429, field)
    assert found.headers["retry-after"] == seconds
    assert found.outcome == refusal.RATE_LIMITED.outcome


def test_a_wait_is_rounded_up_to_one_of_few() -> None:
    seconds = [tenth / 10 for tenth in range(0, 20 * 864_000, 977)]
    waits = [coarse(exact) for exact in seconds]
    assert waits == sorted(waits)
    assert all(wait >= exact for wait, exact in zip(waits, seconds, strict=True))
    assert len(set(waits)) <= 14 + 20
    assert coarse(1e-9) == 1


PUZZLE = '{"parameters":{"cost":1},"signature":"0"}'


def test_a_stronger_credential_is_named_where_one_is_known() -> None:
    field = refusal.INSUFFICIENT.demanding(("gold", "mfa")).headers["www-authenticate"]
    assert field.endswith(', acr_values="gold mfa"')
    assert refusal.INSUFFICIENT.demanding(()) == refusal.INSUFFICIENT


def test_what_can_be_solved_stands_in_a_field_and_ends_vain_retries() -> None:
    posed = refusal.RATE_LIMITED.after(3).posing(PUZZLE)
    assert posed.headers == {
        "retry-after": "5",
        "x-should-retry": "false",
        "x-extproc-challenge": base64.b64encode(PUZZLE.encode()).decode(),
    }
    assert refusal.RATE_LIMITED.after(3).posing_field(posed.headers["x-extproc-challenge"]) == posed


@pytest.mark.parametrize("field", ["", "%%%", "\u20ac", "AAA", "/w=="])
def test_a_field_that_holds_no_challenge_poses_none(field: str) -> None:
    assert refusal.RATE_LIMITED.posing_field(field) == refusal.RATE_LIMITED
