"""The laws of a request: every exchange of the corpus, every tier."""

import random
from collections.abc import Callable
from typing import Any, get_args

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects import Dialect, Status
from extproc.dialects.dialect import JsonDialect
from extproc.dialects.gate import Changes, Each, Object, Rule, Terms, Unknown, gate_of
from extproc.dialects.lookalike import plain
from extproc.dialects.request import Asked
from extproc.errors import ClientError
from tests.corpus.exchanges import Recorded
from tests.laws.damage import PLANTED, in_bytes, in_values
from tests.laws.serving import CORPUS, TIERS, every_exchange, every_tier, few

JSON = [one for one in CORPUS.values() if isinstance(one.route.dialect, JsonDialect)]
OBJECTS = [one for one in JSON if one.request.startswith(b"{") and one.request.endswith(b"}")]
every_object = pytest.mark.parametrize("exchange", OBJECTS, ids=[one.name for one in OBJECTS])
terms = st.builds(
    Terms,
    st.sampled_from([frozenset(kinds) for kinds in TIERS.values()]),
    repeatable=st.booleans(),
    alternatives=st.sampled_from([None, 0, 2]),
    salt=st.sampled_from(["", "salt"]),
)
draws = st.integers(0, 2**32).map(random.Random)


def read(exchange: Recorded, body: bytes, about: Terms, unknown: Unknown = "refuse") -> Asked:
    dialect = exchange.route.dialect
    if isinstance(dialect, JsonDialect):
        dialect = msgspec.structs.replace(dialect, unknown=unknown)
    return dialect.read(body, exchange.parameters, about)


def reread(exchange: Recorded, asked: Asked, about: Terms) -> Asked:
    """What a second gateway would make of what went on."""
    parameters = {
        name: asked.set_headers.get(name, value) for name, value in exchange.parameters.items()
    }
    dialect = exchange.route.dialect
    return dialect.read(asked.body, parameters, about)


def test_every_dialect_has_an_exchange_in_the_corpus() -> None:
    """``tests/corpus/sweep``: a dialect that has none is in none of these laws."""
    assert {type(one.route.dialect) for one in CORPUS.values()} == set(get_args(Dialect)) - {Status}


@every_exchange
@every_tier
def test_what_went_on_goes_on_again_as_it_is(exchange: Recorded, kinds: Any) -> None:
    about = Terms(frozenset(kinds), alternatives=1, salt="salt")
    asked = read(exchange, exchange.request, about)
    check_admitted(exchange, asked, about)


def check_admitted(exchange: Recorded, asked: Asked, about: Terms) -> None:
    """A second gateway would find nothing to change in it."""
    again = reread(exchange, asked, about)
    assert dict(again.changed) == {}
    assert again.query == asked.query
    # The boundary of a form is drawn from what stands in it, and so from the last boundary too.
    assert again.body == asked.body or "content-type" in asked.set_headers


@every_exchange
@few
@given(about=terms, draw=draws)
def test_a_damaged_request_is_understood_or_refused(
    exchange: Recorded, about: Terms, draw: random.Random
) -> None:
    for _ in range(5):
        body = accident(exchange.request, draw)
        try:
            asked = read(exchange, body, about, draw.choice(get_args(Unknown)))
        except ClientError:
            continue
        check_admitted(exchange, asked, about)


def accident(body: bytes, draw: random.Random) -> bytes:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return in_bytes(body, draw)
    if draw.random() < 0.3:
        return in_bytes(body, draw)
    return orjson.dumps(in_values(value, draw))


@every_object
@few
@given(about=terms, draw=draws)
def test_a_field_that_nobody_knows_is_refused_or_does_not_go_on(
    exchange: Recorded, about: Terms, draw: random.Random
) -> None:
    value = orjson.loads(exchange.request)
    strange = draw.choice((PLANTED, [PLANTED], {PLANTED: 1}, 1, None))
    body = orjson.dumps({**value, PLANTED: strange})
    with pytest.raises(ClientError, match="Unrecognized"):
        read(exchange, body, about)
    stripped = read(exchange, body, about, "strip")
    assert PLANTED.encode() not in stripped.body
    assert stripped.changed["*"] == 1
    assert PLANTED not in str(stripped.changed)


DISGUISES: list[Callable[[str], str]] = [
    str.upper,
    lambda name: "".join(part.title() for part in name.split("_")),
    lambda name: f"{name}\u200b",
    lambda name: "".join(chr(ord(one) + 0xFEE0) if one.isalpha() else one for one in name),
    lambda name: name.translate(str.maketrans("aeiopc", "\u0430\u0435\u0456\u043e\u0440\u0441")),
    lambda name: f"{name}\0",
]


@every_object
@pytest.mark.parametrize("unknown", get_args(Unknown))
def test_what_looks_like_a_field_of_the_api_is_refused(
    exchange: Recorded, unknown: Unknown
) -> None:
    value, gate = orjson.loads(exchange.request), gate_of(exchange.route.dialect.read)
    assert gate is not None
    for name in gate.fields:
        for disguise in DISGUISES:
            if disguise(name) in gate.fields:
                continue  # the API has both spellings
            assert plain(disguise(name)) == plain(name)
            with pytest.raises(ClientError):
                read(exchange, orjson.dumps({**value, disguise(name): 1}), Terms(()), unknown)


@every_object
def test_a_field_that_is_said_twice_is_refused(exchange: Recorded) -> None:
    for name, item in orjson.loads(exchange.request).items():
        twice = orjson.dumps({name: item})[:-1] + b"," + exchange.request[1:]
        with pytest.raises(ClientError, match="repeats a key"):
            read(exchange, twice, Terms(()), "strip")


def objects(rule: Rule) -> list[Object]:
    match rule:
        case Object(fields):
            return [rule, *(one for inner in fields.values() for one in objects(inner))]
        case Each(inner):
            return objects(inner)
        case _:
            return []


@every_object
def test_what_is_forced_where_it_is_missing_is_what_its_rule_lets_through(
    exchange: Recorded,
) -> None:
    gate = gate_of(exchange.route.dialect.read)
    assert gate is not None
    for one in objects(gate):
        for name, value in one.forced.items():
            changes = Changes(Terms(()))
            assert one.fields[name].admit(value, changes, name) is value
            assert changes.counts == {}
