"""The laws of an answer: every exchange of the corpus, every framing, every mutator."""

import json
import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.answers import Array, Body, Document, Events, Lines
from extproc.refusal import UPSTREAM_UNREADABLE
from tests.corpus.exchanges import SECRETS, Recorded
from tests.laws.damage import (
    FREE_FORM,
    KEYED_BY_LABEL,
    PLANTED,
    damaged,
    planted,
    repeated,
    replanted,
)
from tests.laws.serving import (
    NOTHING,
    OPEN,
    TEXT_AND_LABEL,
    TIERS,
    UNCOMPARED,
    Kinds,
    Served,
    again,
    answer_of,
    every_answer,
    every_exchange,
    every_tier,
    few,
    serve,
    ways,
)

tiers = st.sampled_from([*TIERS.values()])
draws = st.integers(0, 2**32).map(random.Random)


@every_exchange
def test_the_request_goes_on_whatever_is_granted_and_the_answer_is_released(
    exchange: Recorded,
) -> None:
    """Else the laws below would hold of nothing.  A vector's octets alone hold nothing else; and
    not all vectors of the corpus can be compared.
    """
    for name, kinds in TIERS.items():
        served = serve(exchange, kinds)
        assert served.asked, name
        whole = isinstance(answer_of(exchange), Body)
        alone = name == "similarity" and exchange.name in UNCOMPARED
        assert served.released or alone or (whole and kinds != OPEN), f"{name}: {served.fault}"


# Chunking.


def cut(body: bytes, draw: random.Random) -> list[bytes]:
    edges = sorted({0, len(body), *(draw.randint(0, len(body)) for _ in range(6))})
    return [body[start:end] for start, end in pairwise(edges)]


@every_answer
@few
@given(kinds=tiers, draw=draws)
def test_what_comes_out_does_not_depend_on_how_the_answer_was_cut(
    exchange: Recorded, kinds: Kinds, draw: random.Random
) -> None:
    for whole in ways(exchange):
        for answer in spellings(exchange):
            at_once = serve(exchange, kinds, pieces=[answer], whole=whole)
            assert serve(exchange, kinds, pieces=cut(answer, draw), whole=whole) == at_once


def spellings(exchange: Recorded) -> list[bytes]:
    """The answer, and what its framing counts as the same: events may end their lines otherwise."""
    if not isinstance(answer_of(exchange), Events):
        return [exchange.answer]
    return [exchange.answer.replace(b"\n", end) for end in (b"\n", b"\r\n", b"\r")]


@every_answer
@pytest.mark.parametrize("kinds", [OPEN, TEXT_AND_LABEL], ids=["open", "text_and_label"])
def test_what_comes_out_is_the_same_byte_by_byte(exchange: Recorded, kinds: Kinds) -> None:
    for answer in spellings(exchange)[:2]:
        singly = [answer[at : at + 1] for at in range(len(answer))]
        for whole in ways(exchange):
            at_once = serve(exchange, kinds, pieces=[answer], whole=whole)
            assert serve(exchange, kinds, pieces=singly, whole=whole) == at_once


@every_answer
@few
@given(draw=draws, kinds=tiers)
def test_neither_does_what_comes_out_of_a_damaged_answer_that_is_released(
    exchange: Recorded, kinds: Kinds, draw: random.Random
) -> None:
    """A stream that cannot go on ends where that is seen, which may be a piece later."""
    answer = damaged(exchange, draw)
    for whole in ways(exchange):
        at_once = serve(exchange, kinds, pieces=[answer], whole=whole)
        other = serve(exchange, kinds, pieces=cut(answer, draw), whole=whole)
        assert other.released is at_once.released
        assert other == at_once or not at_once.released


# Identity.


@every_answer
def test_what_nothing_is_dropped_from_passes_byte_for_byte(exchange: Recorded) -> None:
    first = serve(exchange, OPEN)
    if not first.released:
        return
    known = again(exchange, first)
    for whole in ways(exchange):
        second = serve(known, OPEN, whole=whole)
        assert second.dropped == ()
        assert second.body == known.answer
        assert second.headers == first.headers
    if not first.dropped and not isinstance(
        answer_of(exchange), Events
    ):  # comments lose their text
        assert first.body == exchange.answer


# Allow-list.


@every_answer
@pytest.mark.parametrize("everywhere", [True, False])
@few
@given(draw=draws, kinds=tiers)
def test_a_field_that_nobody_knows_never_comes_out(
    exchange: Recorded, kinds: Kinds, draw: random.Random, *, everywhere: bool
) -> None:
    if exchange.tag in KEYED_BY_LABEL:
        return
    free = FREE_FORM.get(exchange.tag, ())
    answer = replanted(
        exchange, lambda value: planted(value, draw, everywhere=everywhere, free=free)
    )
    if answer is None:
        return  # no JSON: its strangers are in the tests of its own dialect
    for whole in ways(exchange):
        served = serve(exchange, kinds, pieces=[answer], whole=whole)
        assert PLANTED.encode() not in served.wire
        assert served.fault == "" or PLANTED not in served.fault
        assert PLANTED not in str(served.dropped)


@every_answer
@few
@given(draw=draws)
def test_a_key_never_comes_out_twice(exchange: Recorded, draw: random.Random) -> None:
    """In an answer of known fields alone, which would otherwise pass byte for byte."""
    first = serve(exchange, OPEN)
    answer = replanted(again(exchange, first), lambda value: repeated(value, draw))
    if first.released and answer is not None:
        for whole in ways(exchange):
            served = serve(exchange, OPEN, pieces=[answer], whole=whole)
            assert PLANTED.encode() not in served.wire


@every_exchange
@pytest.mark.parametrize("kinds", [TEXT_AND_LABEL, NOTHING], ids=["text_and_label", "nothing"])
def test_what_a_tier_does_not_grant_never_comes_out(exchange: Recorded, kinds: Kinds) -> None:
    """The planted-secret sweep, without Envoy; over Envoy it is tests/e2e/test_sweep.py."""
    for whole in ways(exchange):
        served = serve(exchange, kinds, whole=whole)
        found = [secret for secret in SECRETS if secret in served.wire]
        assert found == [], served.wire


@every_exchange
def test_the_exchange_would_show_a_leak(exchange: Recorded) -> None:
    """Where everything is granted something of it comes out: the sweep looks at the right bytes."""
    wire = exchange.answer + str(exchange.answer_headers).encode()
    assert any(secret in wire for secret in SECRETS)


# Faults.


def check_understood(exchange: Recorded, served: Served) -> None:
    """What was released is of the API, and there is nothing left in it to take out.

    Where a tier took out what an API always has, its answer can be read by clients alone.
    """
    for document in documents(exchange, served.body):
        json.loads(document, object_pairs_hook=once)
    answered = exchange.tag == "votes" and served.body != exchange.answer
    # What was answered privately is no longer a vote of each member.
    if served.dropped == serve(exchange, OPEN).dropped and not answered:
        second = serve(again(exchange, served), OPEN)
        assert second.released, second.fault
        assert (second.dropped, second.body) == ((), served.body)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A client that reads the first of two values would see what the tree never looked at."""
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def documents(exchange: Recorded, body: bytes) -> list[bytes]:
    """The JSON documents that a client finds in it."""
    match answer_of(exchange):
        case Document() | Array():
            return [body]
        case Events(sentinels=sentinels):
            data = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
            return [one for one in data if one not in sentinels]
        case Lines():
            return body.splitlines()
        case _:
            return []


@every_answer
@every_tier
def test_what_comes_out_was_understood(exchange: Recorded, kinds: Kinds) -> None:
    served = serve(exchange, kinds)
    if served.released:
        check_understood(exchange, served)


def try_damage(exchange: Recorded, seeds: range) -> None:
    """Only our own errors come of it: any other ends the exchange, and this test."""
    for seed in seeds:
        draw = random.Random(f"{exchange.name} {seed}")
        answer, kinds = damaged(exchange, draw), draw.choice([*TIERS.values()])
        for whole in ways(exchange):
            served = serve(exchange, kinds, pieces=[answer], whole=whole)
            if served.released:
                check_understood(replace(exchange, answer=answer), served)
            else:
                assert served.outcome in {UPSTREAM_UNREADABLE.code, "cut"}


@every_answer
def test_a_damaged_answer_is_understood_or_refused(exchange: Recorded) -> None:
    try_damage(exchange, range(60))


@pytest.mark.slow
@every_answer
def test_a_damaged_answer_is_understood_or_refused_however_often(exchange: Recorded) -> None:
    try_damage(exchange, range(60, 100))
