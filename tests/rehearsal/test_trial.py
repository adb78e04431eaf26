"""Policy tests: those that ship hold; and one for every thing that a case may expect, wrongly."""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from extproc.config import load
from extproc.errors import ConfigError
from extproc.rehearsal.trial import Trial
from tests.rehearsal.example import FILE, NOW, example, table

SHIPPED = FILE.with_name("entitlement.tests.yaml")
ASK = "path: /v1/chat/completions, tenant: acme, body: {model: text-a, messages: [{role: user}]}"
ANSWER = """\
{id: c, model: text-a, choices: [{index: 0, message: {role: assistant, content: Hi},
  logprobs: {content: [{token: s3cret, logprob: -1.5}]}, finish_reason: stop}]}"""


def tried(folder: Path, *cases: str, changes: tuple[tuple[str, str], ...] = ()) -> Trial:
    config = example(folder, *changes)
    text = "cases:\n" + "".join(f"  - {indent(dedent(case), '    ').strip()}\n" for case in cases)
    (folder / "t.yaml").write_text(text, encoding="utf-8")
    trial = Trial(config, table(config))
    trial.run(folder / "t.yaml", NOW)
    return trial


def wrong(folder: Path, *lines: str, changes: tuple[tuple[str, str], ...] = ()) -> tuple[str, ...]:
    (verdict,) = tried(folder, "\n".join(("name: a", *lines)), changes=changes).verdicts
    return verdict.wrong


def test_the_cases_that_ship_hold() -> None:
    config = load(FILE)
    trial = Trial(config, table(config))
    trial.run(SHIPPED, NOW)
    assert [verdict.wrong for verdict in trial.verdicts] == [()] * len(trial.verdicts)
    assert len(trial.verdicts) == 8


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("{decision: refused}", "decision: expected refused, is allowed"),
        ("{status: 403}", "status: expected 403, is 200"),
        ("{reason: model_not_found}", "reason: expected model_not_found, is allowed"),
        ("{tenant: newcomer}", "tenant: expected newcomer, is acme"),
        ("{policy: trial}", "policy: expected trial, is partner"),
        ("{tier: full}", "tier: expected full, is standard"),
        ("{request: {max_tokens: 64}}", "request.max_tokens: expected 64, is 512"),
        ("{request_lacks: [max_tokens]}", "request.max_tokens: expected nowhere, and it is there"),
    ],
)
def test_what_is_expected_of_a_request_and_is_not_so_is_told(
    tmp_path: Path, expect: str, told: str
) -> None:
    assert wrong(tmp_path, f"request: {{{ASK}}}", f"expect: {expect}") == (told,)


def test_what_is_expected_of_a_refusal_is_told_with_its_reason(tmp_path: Path) -> None:
    ask = ASK.replace("text-a", "other")
    assert wrong(tmp_path, f"request: {{{ask}}}", "expect: {status: 200, tenant: acme}") == (
        "status: expected 200, is 404 (the models of the policy do not name it)",
    )


def test_what_a_stranger_gets_is_expected_of_no_tenant(tmp_path: Path) -> None:
    ask = "request: {path: /nowhere}"
    assert wrong(tmp_path, ask, "expect: {status: 401, tenant: acme}") == (
        "tenant: expected acme, is none (none that is known was shown)",
    )


def test_an_answer_is_compared_with_what_the_client_gets(tmp_path: Path) -> None:
    given = f"response: {{body: {ANSWER}}}"
    ask = f"request: {{{ASK}}}"
    held = "expect: {status: 200, response: {choices: [{logprobs: null}]}, response_lacks: [token]}"
    assert wrong(tmp_path, ask, given, held) == ()
    assert wrong(tmp_path, ask, given, "expect: {response_lacks: [logprobs]}") == (
        "response.choices[0].logprobs: expected nowhere, and it is there",
    )


def test_a_policy_that_lets_out_more_is_found(tmp_path: Path) -> None:
    """What the page promises: log probabilities that come out fail the case."""
    lets = ((("  standard:\n"), "  standard:\n    logprobs: pass\n"),)
    given, ask = f"response: {{body: {ANSWER}}}", f"request: {{{ASK}}}"
    held = "expect: {response: {choices: [{logprobs: null}]}}"
    (told,) = wrong(tmp_path, ask, given, held, changes=lets)
    assert told.startswith("response.choices[0].logprobs: expected null, is ")


def test_in_the_shadow_everything_comes_out(tmp_path: Path) -> None:
    shadow = (("  partner:\n", "  partner:\n    mode: shadow\n"),)
    given, ask = f"response: {{body: {ANSWER}}}", f"request: {{{ASK}}}"
    (told,) = wrong(tmp_path, ask, given, "expect: {response_lacks: [token]}", changes=shadow)
    assert told.startswith("response.choices[0].logprobs.content[0].token: expected nowhere")


def test_a_stream_is_compared_event_by_event(tmp_path: Path) -> None:
    ask = f"request: {{{ASK.replace('model: ', 'stream: true, model: ')}}}"
    event = "{id: c, model: text-a, choices: [{index: 0, delta: {content: Hi}, logprobs: {}}]}"
    given = f'response: {{events: [{event}, "[DONE]"]}}'
    held = 'expect: {response: [{choices: [{delta: {content: Hi}}]}, "[DONE]"]}'
    assert wrong(tmp_path, ask, given, held) == ()


def test_an_answer_that_cannot_be_released_is_told(tmp_path: Path) -> None:
    ask = f"request: {{{ASK}}}"
    assert wrong(tmp_path, ask, "response: {body: s3cret}", "expect: {status: 502}") == ()
    (tmp_path / "long").write_bytes(b'{"id":"c","choices":[' + b'{"index":1},' * 30_000)
    (told,) = wrong(tmp_path, ask, "response: {file: long}", "expect: {status: 200}")
    assert told.startswith("response: cut off (")


def test_what_does_not_go_on_has_no_answer(tmp_path: Path) -> None:
    ask = f"request: {{{ASK.replace('text-a', 'other')}}}"
    given, held = (
        f"response: {{body: {ANSWER}}}",
        "expect: {decision: refused, response: {error: {code: model_not_found}}}",
    )
    assert wrong(tmp_path, ask, given, held) == ()


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ((), "expect: {request_lacks: [logprobs]}"),
        ((f"response: {{body: {ANSWER}}}",), "expect: {response_lacks: [logprobs]}"),
    ],
)
def test_what_does_not_go_on_proves_nothing_about_what_would_come_out(
    tmp_path: Path, given: tuple[str, ...], held: str
) -> None:
    ask = f"request: {{{ASK.replace('text-a', 'other')}}}"
    assert wrong(tmp_path, ask, *given, held) == (
        "request: expected to go on, and it does not (the models of the policy do not name it)",
    )


def test_a_tenant_that_is_not_there_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"t\.yaml:3: cases\[0\]\.request: there is no tenant 'x'"
    ):
        wrong(tmp_path, "request: {path: /v1/x, tenant: x}", "expect: {status: 200}")


def test_what_no_case_is_about_is_known(tmp_path: Path) -> None:
    trial = tried(tmp_path, f"name: a\nrequest: {{{ASK}}}\nexpect: {{status: 200}}")
    assert trial.untouched() == [
        ("partner", "POST /v1/embeddings"),
        ("partner", "POST /v2/models/{model}/infer"),
        ("trial", "POST /v1/chat/completions"),
    ]
    assert trial.verdicts[0].line == 2
