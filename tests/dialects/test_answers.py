"""Which answers leave piece by piece."""

from typing import Any, get_args

import pytest

from extproc.dialects.answers import (
    Answer,
    Array,
    Body,
    Document,
    Events,
    Frames,
    Lines,
    streamed,
)
from extproc.dialects.shape import Keep

PIECEMEAL: list[tuple[Answer, bool]] = [
    (Document(Keep()), False),
    (Events(Keep()), True),
    (Lines(Keep()), True),
    (Lines(Keep(), streamed=False), False),
    (Array(Keep()), True),
]


def frames(message: Any) -> list[tuple[Answer, bool]]:
    return [
        (Body(message), False),
        (Frames(message), False),
        (Frames(message, streamed=True), True),
    ]


@pytest.mark.parametrize(("answer", "leaves"), [*PIECEMEAL, *frames(None)])
def test_a_stream_must_have_been_asked_for_as_one(answer: Answer, *, leaves: bool) -> None:
    assert streamed(answer) is leaves


def test_every_way_to_answer_is_in_the_table_of_this_test() -> None:
    table = [*PIECEMEAL, *frames(None)]
    assert {type(answer) for answer, _ in table} == set(get_args(Answer))
