"""What a request asks for that an answer is paid by: what goes on, and never less."""

import math
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects import AnthropicMessages, Dialect, OpenAIChat, OpenAICompletions, VllmScore
from extproc.dialects.features import features
from extproc.dialects.gate import Terms, gate_of
from extproc.dialects.noted import LONGEST_USER, MOST_CHOICES, VOCABULARY, Noted
from extproc.entitlement import Entitlement
from extproc.errors import ClientError
from extproc.prediction import KINDS
from tests.corpus.exchanges import Recorded
from tests.laws.serving import every_exchange

CHAT: Final = {"model": "m", "messages": []}


def note(dialect: Dialect, request: Any, terms: Terms = Terms(KINDS)) -> Noted:  # noqa: B008
    noted = Noted()
    terms = msgspec.structs.replace(terms, noted=noted)
    dialect.read(orjson.dumps(request), {"content-type": "application/json"}, terms)
    return noted


def _said(body: bytes, paths: tuple[str, ...]) -> Iterator[int]:
    """The numbers in a body at these paths."""
    for path in paths:
        value = orjson.loads(body)
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            yield value


@every_exchange
@pytest.mark.parametrize("most", [None, 1_000_000])
def test_the_maximum_is_what_the_body_says_that_goes_on(
    exchange: Recorded, most: int | None
) -> None:
    dialect, noted = exchange.route.dialect, Noted()
    if "max_tokens" not in features(dialect.read):
        return
    terms = Terms(KINDS, noted=noted, entitlement=Entitlement(max_tokens=most), salt="s")
    asked = dialect.read(exchange.request, exchange.parameters, terms)
    gate = gate_of(dialect.read)
    assert gate is not None
    said = [*_said(asked.body, gate.bounded)]
    assert noted.tokens == max(said, default=None)
    assert said or most is None or not gate.bounded  # embeddings have nothing written


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({}, None),
        ({"max_tokens": None}, None),
        ({"max_tokens": 9}, 9),
        ({"max_tokens": 9, "max_completion_tokens": 70}, 70),
        ({"max_tokens": 90, "max_completion_tokens": 7}, 90),
        ({"max_tokens": -1}, None),
        ({"max_tokens": 0, "max_completion_tokens": 5}, None),
        ({"max_completion_tokens": 5, "max_tokens": 2.5}, None),
        ({"max_tokens": "5"}, None),
        ({"max_tokens": True}, None),
    ],
)
def test_what_is_no_count_asks_for_any_number_of_tokens(
    fields: dict[str, Any], tokens: int | None
) -> None:
    assert note(OpenAIChat(), CHAT | fields).tokens == tokens


def test_a_maximum_that_the_tenant_has_is_noted_where_the_request_names_none() -> None:
    terms = Terms(KINDS, entitlement=Entitlement(max_tokens=64))
    assert note(OpenAIChat(), CHAT, terms).tokens == 64
    assert note(OpenAIChat(), CHAT | {"max_tokens": 8}, terms).tokens == 8


@pytest.mark.parametrize(
    ("fields", "choices"),
    [({}, 1), ({"n": None}, 1), ({"n": 3}, 3), ({"n": 2, "best_of": 5}, 5), ({"best_of": 4}, 4)],
)
def test_as_many_choices_are_noted_as_may_be_written(fields: dict[str, Any], choices: int) -> None:
    request = {"model": "m", "prompt": ["a", "b"]} | fields
    assert note(OpenAICompletions(), request).choices == choices


@pytest.mark.parametrize("value", ["3", 2.0, True, [3], -1])
def test_choices_that_we_cannot_read_are_as_many_as_an_api_gives(value: Any) -> None:
    noted = Noted()
    noted.note_choices(value)
    assert noted.choices == MOST_CHOICES


@pytest.mark.parametrize(
    ("fields", "asked", "alternatives"),
    [
        ({}, False, 0),
        ({"logprobs": False}, False, 0),
        ({"logprobs": True}, True, 0),
        ({"logprobs": True, "top_logprobs": 9}, True, 5),
        ({"logprobs": True, "top_logprobs": 2}, True, 2),
        ({"logprobs": True, "top_logprobs": None}, True, 0),
    ],
)
def test_log_probabilities_are_noted_as_they_go_on(
    fields: dict[str, Any], asked: bool, alternatives: int
) -> None:
    noted = note(OpenAIChat(), CHAT | fields, Terms(KINDS, alternatives=5))
    assert (noted.logprobs, noted.alternatives) == (asked, alternatives)
    withheld = note(OpenAIChat(), CHAT | fields, Terms({"text"}))
    assert (withheld.logprobs, withheld.alternatives) == (False, 0)


@pytest.mark.parametrize(
    ("dialect", "request_", "user"),
    [
        (OpenAIChat(), CHAT | {"user": "u"}, "u"),
        (OpenAIChat(), CHAT | {"user": "u", "safety_identifier": "s"}, "s"),
        (OpenAIChat(), CHAT | {"safety_identifier": "s", "user": "u"}, "s"),
        (OpenAIChat(), CHAT | {"user": "é" * 300}, "é" * LONGEST_USER),
        (OpenAIChat(), CHAT | {"user": 7}, ""),
        (OpenAIChat(), CHAT | {"user": None}, ""),
        (OpenAICompletions(), {"model": "m", "prompt": "a", "user": "u"}, "u"),
        (
            AnthropicMessages(),
            {"model": "m", "max_tokens": 5, "messages": [], "metadata": {"user_id": "u"}},
            "u",
        ),
        (VllmScore(), {"model": "m", "text_1": "a", "text_2": "b", "user": "u"}, "u"),
    ],
)
def test_the_end_user_is_whom_the_client_names(
    dialect: Dialect, request_: dict[str, Any], user: str
) -> None:
    assert note(dialect, request_).user == user


@pytest.mark.parametrize("asked", [1e400, 10**30, 2.5])
def test_no_number_of_alternatives_is_beyond_a_vocabulary(asked: float) -> None:
    noted = Noted()
    noted.note_alternatives(asked)
    assert noted.alternatives == min(math.ceil(min(asked, VOCABULARY)), VOCABULARY)


def test_a_user_of_any_length_is_kept_short() -> None:
    noted = Noted()
    noted.note_user("x" * 100_000, surely=False)
    assert len(noted.user) == LONGEST_USER


@given(st.lists(st.none() | st.integers(-2, 9) | st.floats() | st.text(max_size=2), max_size=4))
def test_no_order_of_fields_makes_the_maximum_smaller(values: list[Any]) -> None:
    def of(ordered: list[Any]) -> int | None:
        noted = Noted()
        for value in ordered:
            noted.note_tokens(value)
        return noted.tokens

    assert of(values) == of(values[::-1])


def test_a_request_that_is_refused_is_not_noted_further() -> None:
    noted = Noted()
    terms = Terms(KINDS, noted=noted, entitlement=Entitlement(max_tokens=4))
    with pytest.raises(ClientError):
        OpenAIChat().read(orjson.dumps(CHAT | {"max_tokens": 5, "user": "u"}), {}, terms)
    assert noted.tokens is None
