"""What is asked and answered about suspects, over the control socket."""

from datetime import UTC, datetime

import msgspec
import pytest

from extproc.accounts.messages import Answer, Ask, decode_answer, decode_ask, encode
from extproc.accounts.suspects import (
    FOREVER,
    Change,
    Overridden,
    Override,
    ShownSuspect,
    ShowSuspect,
    Suspect,
    SuspectPage,
    Suspects,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CHANGE = Change(NOON, "", "deny", 0.98, shadow=False)
ACME = Suspect(
    "acme",
    "acme",
    "user",
    0.98,
    "deny",
    NOON,
    False,
    "trusted",
    None,
    {"novelty": 9.0},
    {"queries": 7},
    ("block-7",),
    (CHANGE,),
)


@pytest.mark.parametrize(
    "ask",
    [
        Suspects(),
        Suspects("acme"),
        ShowSuspect("acme"),
        Override("acme", "trust", 3600.0),
        Override("acme|key:0123456789abcdef", "freeze"),
        Override("cohort:block-7", "forgive"),
    ],
)
def test_what_is_asked_arrives_as_it_was(ask: Ask) -> None:
    assert decode_ask(encode(ask)) == ask


@pytest.mark.parametrize(
    "answer", [SuspectPage((ACME,), "acme"), ShownSuspect(ACME), Overridden("trust", ACME, True)]
)
def test_what_is_answered_arrives_as_it_was(answer: Answer) -> None:
    assert decode_answer(encode(answer)) == answer


@pytest.mark.parametrize(
    "line",
    [
        b'{"do":"show_suspect","subject":""}',
        b'{"do":"override","subject":"acme","word":"ban"}',
        b'{"do":"override","subject":"acme","word":"trust","seconds":0}',
        b'{"do":"override","subject":"acme","word":"trust","seconds":%d}' % (FOREVER + 1),
        b'{"do":"override","subject":"acme","word":"trust","extra":1}',
        b'{"do":"show_suspect","subject":"%b"}' % (b"a" * 4201),
    ],
)
def test_what_is_out_of_bounds_is_no_request(line: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_ask(line)
