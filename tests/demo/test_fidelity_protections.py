"""Every protection is shown what breaks it: a check that cannot fail protects nobody."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from extproc.demo import fidelity_protections as checks
from extproc.demo.answer import Answer
from extproc.demo.cases import CASES
from extproc.demo.dialogue import Observed
from extproc.demo.fidelity_protections import FIDELITY
from extproc.demo.verdict import judge
from tests.demo import fabricated
from tests.demo.fabricated import Documents, case_of, written

Change = Callable[[Documents], Any]
Check = Callable[[Observed], Any]


def _broken(seen: Observed) -> set[str]:
    return {verdict.protection for verdict in judge(FIDELITY, seen) if not verdict.held}


def _name(check: Check) -> str:
    return next(name for name, function in FIDELITY.items() if function is check)


def test_good_answers_break_nothing() -> None:
    assert [verdict for verdict in judge(FIDELITY, fabricated.observed()) if verdict.findings] == []


def _output(index: int, data: list[Any]) -> Change:
    return lambda documents: documents[0]["outputs"][index].update(data=data)


def _adding(**fields: Any) -> Change:
    return lambda documents: documents[0].update(fields)


def _choosing(**fields: Any) -> Change:
    return lambda documents: documents[0]["choices"][0].update(fields)


def _vector(name: str, values: list[float]) -> Change:
    value = written(case_of(name), values)
    return lambda documents: documents[0]["data"][0].update(embedding=value)


def _message(part: str, **fields: Any) -> Change:
    return lambda documents: documents[0]["choices"][0][part].update(fields)


def _tokens(*logprobs: float, alternatives: int = 1) -> Change:
    others = alternatives * [{"token": "b", "logprob": -2.4079}]
    content = [{"token": "a", "logprob": each, "top_logprobs": others} for each in logprobs]
    return _choosing(logprobs={"content": content})


EXACT = fabricated.VECTOR[7]
LEVELS = [float(value) / 1000 for value in range(-200, 184)]

PLANTED: list[tuple[Check, str, str | None, Change]] = [
    (checks.no_exact_probability, "infer", "standard", _adding(note="p=0.7278896093")),
    (checks.no_exact_probability, "infer", "coarse", _adding(scaled=72.788960931)),
    (checks.no_exact_probability, "infer", None, _output(0, [0.0, 0.0, 1.0])),
    (checks.no_exact_probability, "infer, logits", "full", _output(0, [0.06, 0.0, 0.73])),
    (checks.no_exact_component, "embeddings, float", "coarse", _adding(note=str(EXACT))),
    (
        checks.no_exact_component,
        "embeddings, float",
        "standard",
        _vector("embeddings, float", [EXACT, *383 * [0.05]]),
    ),
    (
        checks.no_exact_component,
        "embeddings, base64",
        "coarse",
        _vector("embeddings, base64", [EXACT, *63 * [-0.125]]),
    ),
    (
        checks.no_exact_component,
        "embeddings, base64",
        "full",
        _vector("embeddings, base64", 384 * [0.125]),
    ),
    (checks.no_exact_logprob, "chat, document", "standard", _tokens(fabricated.LOGPROBS[0])),
    (checks.no_exact_logprob, "chat, stream", "coarse", _message("delta", x="2.3685234567")),
    (checks.no_exact_logprob, "chat, stream", None, _choosing(logprobs=None)),
    (checks.few_coarse_probabilities, "infer", "standard", _output(0, [0.05, 0.01, 0.73, 0.21])),
    (checks.few_coarse_probabilities, "infer", "standard", _output(0, [0.064, 0.0, 0.728, 0.206])),
    (checks.few_coarse_probabilities, "infer", "coarse", _output(0, [0.0, 0.0, 0.99, 0.01])),
    (checks.few_coarse_probabilities, "infer", "coarse", _output(0, [0.0, 0.0, 0.73])),
    (checks.sums_kept, "infer", "standard", _output(0, [0.05, 0.0, 0.73, 0.21])),
    (checks.sums_kept, "infer, logits", "coarse", _output(0, [0.0, 0.0, 0.9])),
    (checks.label_kept, "infer", "standard", _output(0, [0.06, 0.0, 0.21, 0.73])),
    (checks.label_kept, "infer", "full", _output(1, [3])),
    (checks.no_undeclared_output, "infer, logits", "standard", _adding(note="5.0567123")),
    (
        checks.no_undeclared_output,
        "infer, logits",
        "full",
        lambda documents: documents[0]["outputs"].append({"name": "logits", "data": [5.06]}),
    ),
    (checks.no_undeclared_output, "infer, logits", None, _output(2, [])),
    (
        checks.coarse_embeddings,
        "embeddings, float",
        "standard",
        _vector("embeddings, float", LEVELS),
    ),
    (
        checks.coarse_embeddings,
        "embeddings, base64",
        "coarse",
        _vector("embeddings, base64", 65 * [0.125]),
    ),
    (
        checks.coarse_embeddings,
        "embeddings, float",
        "coarse",
        _vector("embeddings, float", [0.0, *31 * [0.125], *32 * [-0.125]]),
    ),
    (
        checks.useful_embeddings,
        "embeddings, float",
        "standard",
        _vector("embeddings, float", [-value for value in fabricated.VECTOR]),
    ),
    (
        checks.useful_embeddings,
        "embeddings, base64",
        "coarse",
        _vector("embeddings, base64", 64 * [0.125]),
    ),
    (checks.coarse_logprobs, "chat, document", "coarse", _tokens(-2.4079)),
    (checks.coarse_logprobs, "chat, stream", "standard", _tokens(-2.4079, -1.2345)),
    (checks.coarse_logprobs, "chat, document", "standard", _tokens(-2.4079, alternatives=2)),
    (checks.coarse_logprobs, "chat, document", "standard", _choosing(logprobs=None)),
    (
        checks.no_reasoning,
        "chat, reasoning",
        "standard",
        _message("message", content=f"{fabricated.REASONING} {fabricated.TEXT}"),
    ),
    (checks.no_reasoning, "chat, reasoning", "coarse", _message("message", reasoning="")),
    (
        checks.no_reasoning,
        "chat, reasoning",
        None,
        _message("message", reasoning_content=None),
    ),
    (checks.no_identity, "chat, document", "standard", _adding(id=fabricated.FINGERPRINT)),
    (checks.no_identity, "chat, stream", "coarse", _adding(service_tier="default")),
    (checks.no_identity, "chat, reasoning", None, _adding(system_fingerprint=None)),
    (checks.nothing_unlisted, "chat, document", "full", _message("message", annotations=[])),
    (
        checks.nothing_unlisted,
        "chat, stream",
        "standard",
        lambda documents: documents[1]["usage"].update(prompt_tokens_details=None),
    ),
    (checks.granted_unharmed, "infer", "full", _adding(note="")),
    (checks.granted_unharmed, "embeddings, base64", "full", _adding(note="")),
    (checks.granted_unharmed, "chat, stream", "coarse", _message("delta", content="else")),
]


@pytest.mark.parametrize(("check", "name", "tier", "change"), PLANTED)
def test_what_breaks_a_promise_is_found(
    check: Check, name: str, tier: str | None, change: Change
) -> None:
    seen = fabricated.changed(fabricated.observed(), case_of(name), tier, change)
    (verdict,) = judge({_name(check): check}, seen)
    assert not verdict.held
    assert name in "".join(verdict.findings)


def test_a_header_of_the_model_server_is_found() -> None:
    good = fabricated.observed()
    case = case_of("chat, stream")
    answer = good.gets(case, "full")
    leaking = replace(answer, headers={**answer.headers, "x-served-by": "uvicorn"})
    nameless = replace(answer, headers={})

    assert _broken(fabricated.exchanged(good, case, "full", leaking)) == {_name(checks.no_header)}
    assert _name(checks.no_header) in _broken(fabricated.exchanged(good, case, None, nameless))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_answer_that_differs_from_its_repeats_is_found(case: Any) -> None:
    good = fabricated.observed()
    answers = list(good.served[case.name, "standard"])
    answers[3] = replace(answers[3], body=answers[3].body.replace(b'"model', b'"x": 1, "model', 1))

    seen = replace(good, served={**good.served, (case.name, "standard"): answers})
    assert _broken(seen) == {_name(checks.same_again)}


def test_a_repeat_that_is_missing_is_found() -> None:
    good = fabricated.observed()
    fewer = {pair: answers[:-1] for pair, answers in good.served.items()}
    assert _broken(replace(good, served=fewer)) == {_name(checks.same_again)}


def test_new_names_of_a_chat_are_no_difference() -> None:
    good, case = fabricated.observed(), case_of("chat, stream")
    answers = list(good.served[case.name, "full"])
    answers[1] = replace(answers[1], body=answers[1].body.replace(b"chatcmpl-1", b"chatcmpl-2"))
    assert _broken(replace(good, served={**good.served, (case.name, "full"): answers})) == set()


@pytest.mark.parametrize("tier", [None, "standard"])
@pytest.mark.parametrize("by", [fabricated.error(503, "unavailable"), Answer(200), Answer(0)])
def test_where_nothing_was_answered_nothing_held(tier: str | None, by: Answer) -> None:
    of_api: dict[str, list[Check]] = {
        "infer": [checks.no_exact_probability, checks.sums_kept, checks.no_header],
        "embeddings, base64": [checks.no_exact_component, checks.useful_embeddings],
        "chat, reasoning": [checks.no_reasoning, checks.no_identity, checks.nothing_unlisted],
    }
    for name, expected in of_api.items():
        seen = fabricated.exchanged(fabricated.observed(), case_of(name), tier, by)
        assert {_name(check) for check in expected} <= _broken(seen)


def test_where_nothing_was_asked_nothing_held() -> None:
    assert _broken(Observed({}, {})) == set(FIDELITY)


def test_every_protection_was_shown_what_breaks_it() -> None:
    planted = {_name(check) for check, *_ in PLANTED}
    assert planted | {_name(checks.no_header), _name(checks.same_again)} == set(FIDELITY)
