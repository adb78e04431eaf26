"""What requests of OpenAI's text APIs have in common; the dialects' tests send whole requests."""

from typing import Any

import pytest

from extproc.dialects.gate import PASS, Changes, Object, Terms
from extproc.dialects.openai_request import (
    MASKS,
    SAMPLING,
    VLLM,
    check_alone,
    check_count,
    check_model,
    check_stream,
    prompts,
    salted,
)
from extproc.errors import ClientError


def test_a_salt_is_forced_and_keeps_what_is_forced_besides() -> None:
    gate = Object({"model": PASS}, {"store": False})
    terms = Terms((), salt="5a17")
    assert salted(gate, terms, wanted=False) is gate
    asked = salted(gate, terms, wanted=True).admit({"cache_salt": "x"}, Changes(terms), "")
    assert asked == {"cache_salt": "5a17", "store": False}


@pytest.mark.parametrize("field", SAMPLING)
def test_what_makes_an_answer_repeat_goes_or_is_bounded(field: str) -> None:
    for repeatable in (True, False):
        changes = Changes(Terms((), repeatable=repeatable))
        after = SAMPLING[field].admit(0, changes, field)
        assert (after == 0) is repeatable
        assert bool(changes.counts) is not repeatable


@pytest.mark.parametrize("field", VLLM)
def test_every_field_of_vllm_may_be_null_or_is_taken_out(field: str) -> None:
    gate = Object(VLLM)
    assert gate.admit({field: None}, Changes(Terms(())), "") in ({field: None}, {})


@pytest.mark.parametrize("mask", MASKS)
def test_no_mask_stands_beside_logprobs(mask: str) -> None:
    with pytest.raises(ClientError, match=mask):
        check_alone({mask: {"x": 1}})
    check_alone({mask: None, "n": 1, "best_of": None})


@pytest.mark.parametrize("name", ["n", "best_of"])
def test_one_choice_stands_beside_logprobs(name: str) -> None:
    with pytest.raises(ClientError, match=name):
        check_alone({name: 2})


@pytest.mark.parametrize("wrong", [None, "", 1, ["m"], True])
def test_a_model_is_a_name(wrong: Any) -> None:
    assert check_model({"model": "m"}) == "m"
    with pytest.raises(ClientError, match="'model'"):
        check_model({"model": wrong})


def test_a_stream_is_asked_for_by_a_boolean() -> None:
    assert [check_stream({"stream": value}) for value in (None, False, True)] == [
        False,
        False,
        True,
    ]
    for wrong in ("true", 1):
        with pytest.raises(ClientError, match="'stream'"):
            check_stream({"stream": wrong})


@pytest.mark.parametrize("wrong", [-1, 6, "3", 3.0, True, [3]])
def test_a_count_is_within_its_bounds(wrong: Any) -> None:
    for right in (None, 0, 5):
        check_count({"n": right}, "n", 0, 5)
    with pytest.raises(ClientError, match="'n' must be between 0 and 5"):
        check_count({"n": wrong}, "n", 0, 5)


@pytest.mark.parametrize(
    ("value", "inputs"),
    [("a", ["a"]), ([1, 2], [[1, 2]]), (["a", "b"], ["a", "b"]), ([[1], [2]], [[1], [2]])],
)
def test_a_prompt_is_text_or_token_ids(value: Any, inputs: list[Any]) -> None:
    assert prompts({"prompt": value}, "prompt") == inputs


@pytest.mark.parametrize("wrong", [None, [], {}, 1, ["a", 1], [[]], [[True]]])
def test_anything_else_is_no_prompt(wrong: Any) -> None:
    with pytest.raises(ClientError, match="'prompt'"):
        prompts({"prompt": wrong}, "prompt")
