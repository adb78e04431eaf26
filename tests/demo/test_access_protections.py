from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from extproc.demo import access_protections as checks
from extproc.demo.access import Access
from extproc.demo.access_protections import ACCESS
from extproc.demo.answer import Answer
from extproc.demo.verdict import judge
from tests.demo import fabricated
from tests.demo.fabricated import answer, error

GOOD = fabricated.access()
ELSE = error(401, "no_such_key")
"""The right status, and one word too many."""


def _strangers(**changed: Answer) -> Access:
    names = {name.replace("_", " "): given for name, given in changed.items()}
    return replace(GOOD, strangers={**GOOD.strangers, **names})


def _broken(seen: Access) -> set[Any]:
    return {ACCESS[verdict.protection] for verdict in judge(ACCESS, seen) if not verdict.held}


def test_good_answers_break_nothing() -> None:
    assert _broken(GOOD) == set()


PLANTED: list[tuple[Callable[[Access], Any], Access]] = [
    (checks.strangers_refused, _strangers(no_key=answer([{"outputs": []}]))),
    (checks.strangers_refused, _strangers(two_keys=error(404, "not_found"))),
    (checks.strangers_learn_nothing, _strangers(an_unknown_key=ELSE)),
    (
        checks.strangers_learn_nothing,
        _strangers(basic_authentication=error(401, "invalid_api_key", {"x-hint": "1"})),
    ),
    (checks.strangers_learn_nothing, replace(GOOD, hidden_path=error(404, "not_found"))),
    (checks.unknown_path_denied, replace(GOOD, unknown_path=answer([{"choices": []}]))),
    (checks.models_hidden, replace(GOOD, forbidden_model=answer([{"data": []}]))),
    (checks.models_hidden, replace(GOOD, forbidden_model=error(403, "forbidden"))),
    (checks.models_hidden, replace(GOOD, unknown_model=error(404, "unknown_model"))),
    (checks.models_hidden, replace(GOOD, permitted_model=error(404, "model_not_found"))),
    (checks.unknown_argument_refused, replace(GOOD, unknown_argument=answer([{"choices": []}]))),
    (
        checks.no_biased_logprobs,
        replace(GOOD, biased={**GOOD.biased, "both": answer([{"choices": []}])}),
    ),
    (
        checks.no_biased_logprobs,
        replace(GOOD, biased={**GOOD.biased, "logprobs": error(400, "invalid_request")}),
    ),
    (checks.identity_not_spoofed, replace(GOOD, spoofed=answer([{"outputs": [1]}]))),
    (checks.identity_not_spoofed, replace(GOOD, honest=ELSE, spoofed=ELSE)),
    (checks.burst_limited, replace(GOOD, burst=8 * [answer([{}])])),
    (checks.burst_limited, replace(GOOD, burst=[*6 * [answer([{}])], *GOOD.burst[-2:]])),
    (checks.burst_limited, replace(GOOD, burst=8 * [GOOD.burst[-1]])),
    (checks.burst_limited, replace(GOOD, burst=[*GOOD.burst[:-1], error(503, "unavailable")])),
    (
        checks.burst_limited,
        replace(GOOD, burst=[*GOOD.burst[:-1], error(429, "rate_limit_exceeded")]),
    ),
]


@pytest.mark.parametrize(("check", "seen"), PLANTED)
def test_what_breaks_a_promise_is_found(check: Callable[[Access], Any], seen: Access) -> None:
    assert check in _broken(seen)


def test_every_protection_was_shown_what_breaks_it() -> None:
    assert {check for check, _ in PLANTED} == set(ACCESS.values())


def test_when_it_was_answered_and_whether_the_connection_stays_is_no_difference() -> None:
    nobody = GOOD.strangers["no key"]
    later = replace(nobody, headers={**nobody.headers, "date": "later", "connection": "close"})
    assert _broken(_strangers(two_keys=later)) == set()
