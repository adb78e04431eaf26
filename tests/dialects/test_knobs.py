"""Fields that make an answer tell more: which are asked for, and which only look so."""

from typing import Any

import pytest

from extproc.detectors.features import KNOBS
from extproc.dialects import knobs as known
from extproc.dialects.gate import PASS, Changes, Object, Taking, Terms
from extproc.dialects.knobs import knobs
from extproc.dialects.noted import Noted
from extproc.errors import ClientError


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, 0),
        ({"model": "m", "input": "logprobs"}, 0),
        ({"logprobs": True}, known.LOGPROBS),
        ({"logprobs": 0}, known.LOGPROBS),
        ({"logprobs": False}, 0),
        ({"logprobs": None}, 0),
        ({"logprobs": True, "top_logprobs": 5}, known.LOGPROBS | known.ALTERNATIVES),
        ({"top_logprobs": 0}, 0),
        ({"logit_bias": {"50256": -100}}, known.BIAS),
        ({"logit_bias": {}}, 0),
        ({"n": 1, "best_of": None}, 0),
        ({"n": 4}, known.CHOICES),
        ({"n": "many"}, known.CHOICES),
        ({"seed": 0}, known.SEED),
        ({"echo": True}, known.ECHO),
        ({"echo": False}, 0),
        ({"raw_scores": True}, known.RAW),
        ({"normalize": False}, known.RAW),
        ({"normalize": True}, 0),
        ({"normalize": None}, 0),
        ({"temperature": 0}, known.TEMPERATURE),
        ({"temperature": 2.0}, known.TEMPERATURE),
        ({"temperature": 0.7}, 0),
        ({"temperature": "hot"}, 0),
        ({"score_threshold": 0.5}, known.THRESHOLD),
        ({"explain": True}, known.EXPLANATION),
        ({"return_token_ids": True}, known.VOCABULARY),
    ],
)
def test_a_field_that_asks_for_more_is_a_bit(fields: dict[str, Any], asked: int) -> None:
    assert knobs(fields) == asked
    assert asked < 1 << KNOBS


def test_noted_is_what_was_asked_for_at_any_depth_whether_it_goes_on_or_not() -> None:
    gate = Object({"options": Object({"seed": Taking(), "temperature": PASS}), "echo": PASS})
    noted = Noted(watched=True)
    request = {"options": {"seed": 7, "temperature": 0.0}, "echo": True}
    gate.admit(request, Changes(Terms((), noted=noted)), "")
    assert noted.knobs == known.SEED | known.TEMPERATURE | known.ECHO


def test_noted_is_what_is_refused_too() -> None:
    noted = Noted(watched=True)
    with pytest.raises(ClientError):
        Object({}).admit({"raw_scores": True}, Changes(Terms((), noted=noted)), "")
    assert noted.knobs == known.RAW


def test_nothing_is_noted_where_nothing_looks() -> None:
    noted = Noted()
    Object({"seed": PASS}).admit({"seed": 1}, Changes(Terms((), noted=noted)), "")
    assert noted.knobs == 0
