from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from extproc.demo import failure_protections as checks
from extproc.demo.answer import Answer
from extproc.demo.failure import Failure
from extproc.demo.failure_protections import FAILURE
from extproc.demo.verdict import judge
from tests.demo import fabricated
from tests.demo.fabricated import answer, error

GOOD = fabricated.failure()
ECHO = answer(GOOD.unprocessed.documents, status=503)
"""The model's own answer, under the status of a refusal."""


def _broken(seen: Failure) -> set[Any]:
    return {FAILURE[verdict.protection] for verdict in judge(FAILURE, seen) if not verdict.held}


def _cut(**changed: Any) -> Failure:
    return replace(GOOD, cut=replace(GOOD.cut, **changed))


def test_good_answers_break_nothing() -> None:
    assert _broken(GOOD) == set()


PLANTED: list[tuple[Callable[[Failure], Any], Failure]] = [
    (checks.model_down, replace(GOOD, model_down=answer([{"choices": []}]))),
    (checks.model_down, replace(GOOD, model_down=ECHO)),
    (checks.model_down, replace(GOOD, model_down=Answer(503, {}, b"upstream connect error"))),
    (checks.model_down, replace(GOOD, model_down=error(500, "upstream_error"))),
    (checks.model_down, replace(GOOD, model_back=error(503, "upstream_error"))),
    (checks.sidecar_dies_in_a_stream, _cut(body=GOOD.uncut.body)),
    (checks.sidecar_dies_in_a_stream, _cut(body=GOOD.uncut.body.partition(b"\n\n")[0])),
    (checks.sidecar_dies_in_a_stream, _cut(complete=True)),
    (checks.sidecar_dies_in_a_stream, _cut(body=b"")),
    (checks.sidecar_dies_in_a_stream, _cut(body=b'data: {"choices":[]}\n\n')),
    (checks.sidecar_dies_in_a_stream, _cut(status=503)),
    (checks.sidecar_dies_in_a_stream, replace(GOOD, uncut=GOOD.cut)),
    (checks.sidecar_dies_in_a_stream, replace(GOOD, uncut=error(500, "server_error"))),
    (checks.sidecar_down, replace(GOOD, sidecar_down=GOOD.unprocessed)),
    (checks.sidecar_down, replace(GOOD, sidecar_down=ECHO)),
    (checks.sidecar_down, replace(GOOD, sidecar_down=Answer(0))),
    (checks.sidecar_down, replace(GOOD, sidecar_down=error(502, "bad_gateway"))),
    (
        checks.sidecar_down,
        replace(GOOD, sidecar_down=answer([{"error": str(fabricated.LOGPROBS[0])}], status=503)),
    ),
    (checks.sidecar_down, replace(GOOD, unprocessed=GOOD.sidecar_down)),
]


@pytest.mark.parametrize(("check", "seen"), PLANTED)
def test_what_breaks_a_promise_is_found(check: Callable[[Failure], Any], seen: Failure) -> None:
    assert check in _broken(seen)


def test_every_protection_was_shown_what_breaks_it() -> None:
    assert {check for check, _ in PLANTED} == set(FAILURE.values())
