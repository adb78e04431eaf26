"""What the control socket takes: nothing that is not a request, and nothing without a bound."""

import msgspec
import pytest

from extproc.accounts.messages import (
    Ask,
    Done,
    Failed,
    Freeze,
    Grant,
    Holder,
    Page,
    Reset,
    Show,
    Shown,
    Tenants,
    Thaw,
    decode_answer,
    decode_ask,
    encode,
)

ASKS: list[Ask] = [
    Tenants(),
    Tenants("acme"),
    Show("acme", 7),
    Grant("acme", "daily", 1.5, "key:a"),
    Reset("shared:", "all", None, all=True),
    Freeze("acme"),
    Thaw("acme"),
]


@pytest.mark.parametrize("ask", ASKS)
def test_what_is_asked_is_read_as_it_was_written(ask: Ask) -> None:
    line = encode(ask)
    assert b"\n" not in line
    assert decode_ask(line) == ask


def test_answers_are_told_apart() -> None:
    holder = Holder("acme", True, ())
    for answer in (Page((holder,), ""), Shown(holder), Done("freeze", "acme"), Failed("busy", "x")):
        assert decode_answer(encode(answer)) == answer


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"do":"drop"}',
        b'{"do":"freeze"}',
        b'{"do":"freeze","whom":""}',
        b'{"do":"freeze","whom":"a","force":true}',
        b'{"do":"freeze","whom":["a"]}',
        b'{"do":"freeze","whom":"%s"}' % (b"a" * 81),
        b'{"do":"grant","whom":"a","limit":"l","amount":0}',
        b'{"do":"grant","whom":"a","limit":"l","amount":-1}',
        b'{"do":"grant","whom":"a","limit":"l","amount":1e13}',
        b'{"do":"grant","whom":"a","limit":"l","amount":"1"}',
        b'{"do":"grant","whom":"a","limit":"l"}',
        b'{"do":"grant","whom":"a","limit":"l","amount":1,"subject":"%s"}' % (b"a" * 4097),
        b'{"do":"show","whom":"a","most":0}',
        b'{"do":"show","whom":"a","most":201}',
        b'{"do":"reset","whom":"a","limit":"l","all":1}',
        b'{"do":"grant","whom":"a","limit":"l","amount":NaN}',
    ],
)
def test_anything_else_is_no_request(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_ask(line)
