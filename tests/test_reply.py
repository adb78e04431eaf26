import pytest

from extproc.dialects import KServeV2, KServeV2Grpc
from extproc.padding import Buckets
from extproc.refusal import RATE_LIMITED, UNKNOWN_MODEL, Refusal
from extproc.reply import reply
from extproc.wording import told

POSED = RATE_LIMITED.after(5).posing('{"parameters":{"cost":1}}')


@pytest.mark.parametrize("refusal", [UNKNOWN_MODEL, POSED])
def test_it_is_what_is_told(refusal: Refusal) -> None:
    answer, known = reply(refusal, KServeV2(), None), told(refusal, KServeV2())
    assert (answer.status, answer.headers, answer.body) == (
        known.status,
        known.headers,
        known.body,
    )
    assert answer.details == f"extproc_{refusal.outcome}"
    assert answer.grpc_status is None


def test_where_lengths_are_hidden_it_is_filled_up() -> None:
    for refusal in (UNKNOWN_MODEL, POSED):
        answer = reply(refusal, KServeV2(), Buckets(1024))
        assert len(answer.body) == 1024
        assert {*answer.headers} <= {"content-type", "retry-after"}


def test_a_grpc_client_gets_a_number_and_the_fields_but_no_media_type() -> None:
    answer = reply(POSED, KServeV2Grpc(), None, grpc=True)
    assert answer.grpc_status == 8
    assert answer.body == b"Too many requests."
    assert answer.headers == POSED.headers
    assert {"retry-after", "x-extproc-challenge"} <= {*answer.headers}


def test_a_grpc_client_gets_no_field_that_others_lack_where_lengths_are_hidden() -> None:
    assert {*reply(POSED, KServeV2Grpc(), Buckets(1024), grpc=True).headers} == {"retry-after"}
